"""The made-up shape model, read; and one of its hearts, scanned."""

from pathlib import Path

import pytest
from dmcvr.simulation.phantom import PhantomConfig
from dmcvr.simulation.shapemodel import read_shape_model, scan_heart

REAL = Path(__file__).resolve().parents[5] / "shared" / "data" / "kcl_hearts"

# Thin slices, so that what a slice shows is what one plane cuts.
THIN = PhantomConfig(
    seed=5,
    pixel_mm=3.0,
    matrix=(70, 80),
    lax_matrix=(70, 70),
    slice_gap_mm=14.0,
    slice_thickness_mm=0.5,
    shift_sd_mm=4.0,
)


@pytest.fixture(scope="session")
def made_up(shape_model_folder):
    return read_shape_model(shape_model_folder)


@pytest.fixture(scope="session")
def deformed(made_up):
    """The first subject's shape."""
    return made_up.deform(made_up.subjects[0])


@pytest.fixture(scope="session")
def scanned(deformed):
    return scan_heart(deformed, THIN)


@pytest.fixture(scope="session")
def real_folder():
    """The folder of the real shape model, which may not be given away and so is not on every machine."""
    if not REAL.is_dir():
        pytest.skip("the CT shape model is not on this machine")
    return REAL


@pytest.fixture(scope="session")
def real_model(real_folder):
    return read_shape_model(real_folder)
