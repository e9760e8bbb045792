"""Other sizes: the volumes asked for, and a heart that is still one."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.labels import BACKGROUND, LVC, LVM, RVC
from dmcvr.simulation.phantom import PhantomConfig
from dmcvr.simulation.shapemodel.sizing import Sizes, resize, sizes_at
from dmcvr.simulation.shapemodel.tissues import RV_WALL, VALVE
from scipy import ndimage

ASKED = {
    "dilated": Sizes(390, 220, 300, 0.9, 3.0),
    "thick": Sizes(90, 200, 110, 1.0, 4.0),
    "small": Sizes(60, 70, 60, 1.05, 3.0),
    "emptied": Sizes(45, 120, 60, 0.95, 3.0),
}


def beside(tissues, label):
    mask = tissues == label
    return set(np.unique(tissues[ndimage.binary_dilation(mask) & ~mask]).tolist())


@pytest.mark.parametrize("sizes", ASKED.values(), ids=ASKED)
def test_volumes_come_out_as_asked(deformed, sizes):
    shape = resize(deformed, sizes)
    assert shape.volume_ml(LVC) == pytest.approx(sizes.lvc_ml, rel=0.01)
    assert shape.volume_ml(LVM) == pytest.approx(sizes.lvm_ml, rel=0.01)
    assert shape.volume_ml(RVC) == pytest.approx(sizes.rvc_ml, rel=0.02)


@pytest.mark.parametrize("sizes", ASKED.values(), ids=ASKED)
def test_the_cavity_is_closed_but_for_its_valves(deformed, sizes):
    tissues = resize(deformed, sizes).tissues
    assert beside(tissues, LVC) == {LVM, VALVE}
    assert beside(tissues, RVC) <= {LVM, RV_WALL, VALVE, BACKGROUND}
    for label in (LVC, LVM, RVC):
        parts, count = ndimage.label(tissues == label)
        assert np.bincount(parts.ravel())[1:].max() > 0.995 * (tissues == label).sum(), (label, count)


def test_its_own_sizes_leave_a_heart_nearly_as_it_is(deformed):
    own = [deformed.volume_ml(label) for label in (LVC, LVM, RVC)]
    same = resize(deformed, Sizes(*own, 1.0, 3.0))
    assert same.grid.affine == pytest.approx(deformed.grid.affine)
    for label in (LVC, LVM, RVC):
        both = ((same.tissues == label) & (deformed.tissues == label)).sum()
        assert both / (deformed.tissues == label).sum() > 0.97


def test_stretch_lengthens_the_ventricle_and_keeps_its_volume(deformed):
    def length(shape):
        return np.linalg.norm(shape.landmark("mitral") - shape.apex)

    round_, long = (resize(deformed, replace(ASKED["thick"], stretch=stretch)) for stretch in (0.9, 1.1))
    assert length(long) / length(round_) == pytest.approx(1.1 / 0.9, rel=0.04)
    assert long.volume_ml(LVC) == pytest.approx(round_.volume_ml(LVC), rel=0.01)
    assert long.landmark("mitral") == pytest.approx(deformed.landmark("mitral"))


def test_toward_end_systole_the_wall_keeps_its_volume_and_the_heart_shortens():
    config = PhantomConfig()
    ed, es = sizes_at(config, 0.0), sizes_at(config, 1 / 3)
    assert ed.lvc_ml == pytest.approx(config.edv_ml)
    assert es.lvc_ml == pytest.approx(config.edv_ml * (1 - config.ef), rel=0.02)
    assert es.lvm_ml == pytest.approx(ed.lvm_ml, rel=1e-6)
    growth = ((es.lvc_ml + es.lvm_ml) / (ed.lvc_ml + ed.lvm_ml)) ** (1 / 3)
    assert 0.80 < es.stretch * growth / ed.stretch < 0.90
    assert es.rvc_ml < 0.6 * ed.rvc_ml
