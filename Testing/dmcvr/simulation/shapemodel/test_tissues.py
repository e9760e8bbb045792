"""Blood fills what walls enclose, and nothing else."""

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.labels import BACKGROUND, LVC, LVM, RVC
from dmcvr.simulation.shapemodel import tissues as t
from scipy import ndimage


def shell(hole: float):
    """An atrium's wall, 16 to 19 mm from its middle, open above within ``hole`` mm; and what is inside."""
    place = np.indices((48, 48, 48)) - 23.5
    radius = np.sqrt((place**2).sum(0))
    wall = (radius < 19) & (radius >= 16)
    wall &= ~((np.hypot(*place[1:]) < hole) & (place[0] > 0))
    out = np.zeros(radius.shape, np.uint8)
    out[wall] = t.LA_WALL
    # The other three walls, with nothing inside, out of the way.
    out[0, 0, :3] = t.RA_WALL, t.AORTA_WALL, t.PULMONARY_WALL
    return out, radius < 15


@pytest.mark.parametrize("hole", [0, 5, 11])
def test_blood_fills_an_atrium_up_to_its_openings(hole):
    wall, inside = shell(hole)
    filled = t.fill_blood(wall, 1.0)
    assert np.array_equal(filled == t.LA_WALL, wall == t.LA_WALL)
    assert (filled[inside] == t.LA).mean() > 0.96
    outside = np.sqrt(((np.indices(wall.shape) - 23.5) ** 2).sum(0)) > 20
    assert np.array_equal(filled[outside], wall[outside])


def test_gaps_between_parts_are_closed():
    wall, _ = shell(0)
    wall[23, 23, 6:8] = BACKGROUND
    filled = t.fill_blood(wall, 1.0)
    assert (filled[23, 23, 6:8] != BACKGROUND).all()


def test_the_mean_heart_has_all_its_blood(made_up):
    found = made_up.mean.tissues
    for blood, wall in ((t.LA, t.LA_WALL), (t.RA, t.RA_WALL)):
        expected = 4 / 3 * np.pi * 11**3 / 1000
        assert made_up.mean.volume_ml(blood) == pytest.approx(expected, rel=0.1)
        rim = ndimage.binary_dilation(found == blood) & (found != blood)
        assert set(np.unique(found[rim])) <= {wall, t.VALVE}
    for blood in (t.AORTA, t.PULMONARY):
        assert made_up.mean.volume_ml(blood) == pytest.approx(np.pi * 6**2 * 30 / 1000, rel=0.2)


def test_label_volumes_that_are_none_are_refused(made_up):
    values = np.where(made_up.mean.tissues <= t.VALVE, made_up.mean.tissues, 0)
    assert np.array_equal(t.read_tissues(values.astype(np.float32)), values)
    with pytest.raises(InputError, match="muscle"):
        t.read_tissues(np.choose(np.minimum(values, 4), [0, LVM, LVC, RVC, 4]))
    with pytest.raises(InputError, match="other values"):
        t.read_tissues(values + np.uint8(20))
