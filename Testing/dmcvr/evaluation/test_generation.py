from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.evaluation.cases import Case
from dmcvr.evaluation.generation import (
    IMAGES,
    Generators,
    generation_tables,
    label_slices,
    regenerate,
    regenerated,
)
from dmcvr.evaluation.methods import find_labels
from dmcvr.model.inference import Model
from dmcvr.reconstruction.heart_window import window_about


@pytest.fixture(scope="module")
def case(heart, model):
    """Judged by the segmenter's own labels."""
    return Case("p_ED", heart[0], find_labels(model, heart[0]))


@pytest.fixture(scope="module")
def images(case, model):
    native = [case.stack.plane(index) for index in range(len(case.labels))]
    window = window_about(model, case.stack.frames[0], native, native, case.labels > 0)
    return window, window.images(case.stack.frames[0], native)


@pytest.mark.slow
def test_more_steps_bring_the_slices_back(case, images, model):
    window, before = images
    errors = []
    for steps in (1, 4):
        after = regenerate(model, model, before, window, case, "dmcvr", steps)
        assert after.shape == before.shape
        assert after.min() >= 0
        assert after.max() <= 1
        errors.append(np.square(after - before).mean())
    assert errors[1] < 0.45 * errors[0]


@pytest.mark.slow
def test_slices_do_not_mix(case, images, model):
    window, before = images
    two = Case("p_ED", case.stack.select(slices=[0, 1]), case.labels[:2])
    alone = regenerate(model, model, before[:2], window, two, "diffae", 2)
    together = regenerate(model, model, before, window, case, "diffae", 2)
    np.testing.assert_allclose(alone, together[:2], atol=1e-3)


@pytest.mark.slow
def test_the_table_has_the_papers_lines(case, images, model, lines):
    calls = []
    chosen = ("original", "dmcvr")
    (table,) = generation_tables([case], Generators(model), chosen, 2, lambda: calls.append(1))
    assert len(calls) == 1
    summary = lines(table)
    assert list(summary) == [
        (name, method) for name in ("all", "LVC", "LVM", "RVC") for method in ("original", "dmcvr")
    ]
    for name in ("all", "LVC", "LVM", "RVC"):
        # The window's labels, against themselves resampled to the stack's pixels and back.
        assert summary[name, "original"].cells["Dice"].mean > 0.94
        assert summary[name, "dmcvr"].cells["VOE %"].mean >= 0
    assert summary["all", "original"].cells["PSNR dB"].cases == 0
    assert summary["all", "dmcvr"].cells["PSNR dB"].mean > 12.5
    assert summary["all", "dmcvr"].cells["SSIM"].mean < 1
    assert summary["LVC", "dmcvr"].cells["PSNR dB"].cases == 0
    assert (
        summary["all", "dmcvr"].cells["paper: PSNR dB"].mean != summary["all", "dmcvr"].cells["PSNR dB"].mean
    )
    window, spacing = images[0], case.spacing[2]
    assert summary["LVC", "original"].cells["paper: HD voxels"].mean > 0
    assert max(window.spacing, spacing) > 1  # so that voxels are not mm
    distances = [summary["LVC", "original"].cells[name].mean for name in ("paper: HD voxels", "HD mm")]
    assert distances[0] < distances[1]


def test_labels_are_the_segmenters(images, model):
    labels = label_slices(model, images[1])
    assert labels.shape == images[1].shape
    assert set(np.unique(labels)) <= {0, 1, 2, 3}
    assert (labels == 1).any()


def without_morphology(preset):
    """The preset of a DiffAE."""
    return replace(preset, denoiser=replace(preset.denoiser, morphology=None, morphology_channels=0))


def test_a_diffae_model_of_its_own_regenerates_its_rows_alone(prism, model, tiny):
    case, methods = prism(count=2), ("original", "diffae")
    field = {"image_size": model.preset.image_size, "spacing_mm": model.preset.spacing_mm}
    diffae = Model.untrained(without_morphology(replace(tiny, **field)))
    own = regenerated(case, Generators(model), methods, 1)
    other = regenerated(case, Generators(model, diffae), methods, 1)
    np.testing.assert_array_equal(own.images["original"], other.original)
    assert np.abs(own.images["diffae"] - other.images["diffae"]).max() > 0.01
    assert other.stack.spacing == (model.preset.spacing_mm,) * 2
    assert other.spacing[2] == case.spacing[2]


@pytest.fixture(scope="module")
def pair(tiny):
    """A small DMCVR and the DiffAE that fits it."""
    return Model.untrained(tiny), Model.untrained(without_morphology(tiny))


def test_notes_say_what_diffae_is(pair):
    assert "withheld" in Generators(pair[0]).notes(IMAGES)[0]
    assert "trained without" in Generators(*pair).notes(IMAGES)[0]
    assert Generators(*pair).notes(("original", "dmcvr")) == ()


def test_what_is_no_diffae_or_sees_another_field_is_refused(pair):
    dmcvr, diffae = pair
    with pytest.raises(InputError, match="trained without it"):
        Generators(dmcvr, dmcvr)
    wider = Model.untrained(replace(diffae.preset, spacing_mm=7.0))
    with pytest.raises(InputError, match="one size and spacing"):
        Generators(dmcvr, wider)
