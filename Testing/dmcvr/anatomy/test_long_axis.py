"""The long axis and its planes against a heart of known pose."""

import numpy as np
import pytest
from dmcvr.anatomy import long_axis as anatomy
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane, unit
from dmcvr.core.labels import LVC, RVC
from drawnhearts import APEX, CENTRE, RV, ellipsoid_heart


def degrees_between(a, b):
    return np.degrees(np.arccos(np.clip(unit(a) @ unit(b), -1, 1)))


@pytest.mark.parametrize("sign", [1, -1])
def test_long_axis_is_found_whichever_end_comes_first(sign):
    labels, grid = ellipsoid_heart(sign * unit(APEX + 0.15 * RV))
    axis = anatomy.long_axis(labels, grid)
    assert degrees_between(axis.apex, APEX) < 1.5
    assert degrees_between(axis.rv, RV) < 1.5
    assert abs(axis.apex @ axis.rv) < 1e-9
    across = (axis.centre - CENTRE) - APEX * ((axis.centre - CENTRE) @ APEX)
    assert np.linalg.norm(across) < 0.3


def test_displaced_slices_do_not_turn_the_axis(tilted):
    labels, grid = tilted
    shifted = labels.copy()
    shifted[24:30] = np.roll(labels[24:30], 8, axis=2)
    before, after = anatomy.long_axis(labels, grid), anatomy.long_axis(shifted, grid)
    assert degrees_between(before.apex, after.apex) < 0.3


def test_planes_hold_the_axis_and_lie_sixty_degrees_apart(tilted):
    axis = anatomy.long_axis(*tilted)
    planes = anatomy.long_axis_planes(*tilted, size_mm=150, spacing=1.5)
    assert set(planes) == {"2ch", "3ch", "4ch"}
    for plane in planes.values():
        assert plane.shape == (101, 101)
        assert plane.spacing == pytest.approx((1.5, 1.5))
        np.testing.assert_allclose(plane.centre, axis.centre, atol=1e-9)
        np.testing.assert_allclose(unit(plane.step_y), -axis.apex, atol=1e-9)
    for a, b in (("2ch", "3ch"), ("3ch", "4ch"), ("4ch", "2ch")):
        assert abs(planes[a].normal @ planes[b].normal) == pytest.approx(0.5)
    assert degrees_between(-planes["4ch"].step_x, axis.rv) == pytest.approx(20)


def test_planes_are_shown_as_apical_views(tilted):
    labels, grid = tilted
    planes = anatomy.long_axis_planes(labels, grid)
    four = grid.sample(labels, planes["4ch"].points(), order=0)
    assert np.argwhere(four == RVC)[:, 1].mean() < np.argwhere(four == LVC)[:, 1].mean() - 20
    rows = np.flatnonzero((four == LVC).any(1))
    widths = np.count_nonzero(four == LVC, axis=1)
    assert widths[rows[2]] < widths[rows[-3]]
    # Foot is -z in LPS: the inferior wall is on the left of 2ch, the inferolateral one on the left of 3ch.
    assert planes["2ch"].step_x[2] > 0
    assert planes["3ch"].step_x[2] > 0


def test_views_are_recognised_and_real_planes_kept(tilted):
    axis = anatomy.long_axis(*tilted)
    planes = anatomy.long_axis_planes(*tilted)
    for name, plane in planes.items():
        tipped = unit(plane.normal + 0.1 * axis.apex + 0.05 * axis.rv)
        x = unit(np.cross([0.1, 0.9, 0.3], tipped))
        real = Plane(plane.centre + 5 * tipped, 1.4 * x, 1.4 * np.cross(tipped, x), (120, 100))
        assert axis.view(real) == name
        shown = axis.apical(name, real, size_mm=100, spacing=1)
        np.testing.assert_allclose((shown.points() - real.origin) @ tipped, np.zeros(shown.shape), atol=1e-9)
        assert degrees_between(shown.step_y, -axis.apex) < 7
        assert degrees_between(shown.step_x, plane.step_x) < 4
    four = planes["4ch"]
    assert axis.view(Plane(four.origin + 30 * four.normal, four.step_x, four.step_y, four.shape)) is None
    assert axis.view(tilted[1].plane(20)) is None


@pytest.mark.parametrize(("missing", "word"), [(LVC, "left"), (RVC, "right")])
def test_a_missing_ventricle_is_said_in_words(tilted, missing, word):
    labels, grid = tilted
    with pytest.raises(InputError, match=f"No {word} ventricle"):
        anatomy.long_axis_planes(np.where(labels == missing, 0, labels), grid)
