"""Slices belong to the stack by where they lie, however their pixels do."""

import numpy as np
import pytest
from dicomtones import SAX_NORMAL, axes, dataset_on, places, tone, write
from dmcvr.core.geometry import Plane
from dmcvr.io.dicom.grids import alike, common_grid, stack_planes
from dmcvr.io.dicom.study import read_study
from hypothesis import given, settings
from hypothesis import strategies as st

SHAPE, SPACING, GAP, RADIUS = (44, 48), 1.5, 8.0, 22.0
CENTRES = np.array(places(7, GAP))
TURNS = st.sampled_from([0.0, 0.0, 90.0, 180.0, 270.0]) | st.floats(0.0, 360.0)
STORED = st.builds(
    dict,
    turn=TURNS,
    mirrored=st.booleans(),
    shape=st.sampled_from([SHAPE, SHAPE, (60, 52), (41, 47)]),
    spacing=st.sampled_from([SPACING, SPACING, 1.7]),
    shift=st.tuples(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0)),
)
STRAIGHT = {"turn": 0.0, "mirrored": False, "shape": SHAPE, "spacing": SPACING, "shift": (0.0, 0.0)}


def plane(centre, turn, mirrored, shape, spacing, shift):
    """A plane through a point of the SAX slices, its pixels turned and stored in another way."""
    x, y = axes(SAX_NORMAL)
    angle = np.radians(turn)
    step_x, step_y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    step_x = spacing * (-step_x if mirrored else step_x)
    step_y = spacing * step_y
    middle = centre + shift[0] * x + shift[1] * y
    return Plane(middle - step_x * (shape[1] - 1) / 2 - step_y * (shape[0] - 1) / 2, step_x, step_y, shape)


def ball(points, frame):
    """A bright ball about the middle slice, with a soft edge."""
    distance = np.linalg.norm(points - CENTRES[3], axis=-1)
    return np.clip(1000 * (RADIUS - distance) / 3 + 500, 0, 1000).astype(np.uint16)


def steps(points, frame):
    """The tone, with a step from slice to slice: slices of a heart differ."""
    slices = np.rint((points - CENTRES[0]) @ SAX_NORMAL / GAP).astype(int)
    return (tone(points, frame) + 150 * (37 * slices**2 % 11)).astype(np.uint16)


def volume(stack):
    """Disc summation of what is brighter than the ball's edge, ml."""
    area = (stack.frames[0] > 500).sum(axis=(1, 2)) * np.prod(stack.spacing)
    return float((area * GAP).sum() / 1000)


@settings(max_examples=25, deadline=None)
@given(stored=st.lists(STORED, min_size=7, max_size=7), order=st.permutations(range(7)))
def test_slices_turned_mirrored_on_other_pixels_or_in_another_order_are_the_same_stack(
    tmp_path_factory, stored, order
):
    folder = tmp_path_factory.mktemp("study")
    for name, index in enumerate(order):
        write(dataset_on(plane(CENTRES[index], **stored[index]), paint=ball), folder, f"{name}.dcm")
    study = read_study(folder)
    depths = study.sax.origins @ SAX_NORMAL
    expected = CENTRES @ SAX_NORMAL
    np.testing.assert_allclose(np.sort(depths), expected, atol=1e-3)
    assert volume(study.sax) == pytest.approx(4 / 3 * np.pi * RADIUS**3 / 1000, rel=0.02)
    assert study.left_out == ()


@settings(max_examples=25, deadline=None)
@given(stored=st.lists(STORED, min_size=3, max_size=3))
def test_every_pixel_holds_what_lies_at_its_place(tmp_path_factory, stored):
    folder = tmp_path_factory.mktemp("study")
    kept = [STRAIGHT] * 4
    for centre, how in zip(CENTRES, [*kept, *stored], strict=True):
        write(dataset_on(plane(centre, **how), paint=steps), folder)
    stack = read_study(folder).sax
    for s, how in zip(range(7), [*kept, *stored], strict=True):
        wanted = steps(stack.plane(s).points(), 0)
        source = plane(CENTRES[s], **how)
        inside = np.abs(
            (stack.plane(s).points() - source.centre) @ np.array([source.step_x, source.step_y]).T
        )
        inside = (inside / how["spacing"] ** 2 < np.array(how["shape"])[::-1] / 2 - 3).all(axis=-1)
        assert inside.mean() > 0.4
        np.testing.assert_allclose(stack.frames[0, s][inside], wanted[inside], atol=1.51)


def test_slices_that_had_to_be_resampled_are_told_and_others_stay_as_they_are(tmp_path):
    for index, centre in enumerate(CENTRES):
        how = STRAIGHT | ({"shape": (60, 52)} if index > 4 else {})
        write(dataset_on(plane(centre, **how), series=str(index), paint=steps), tmp_path)
    study = read_study(tmp_path)
    assert study.warnings[0].startswith("2 of the 7 slices were resampled")
    assert study.sax.frames.shape == (1, 7, *SHAPE)
    for s in range(7):
        assert np.array_equal(study.sax.frames[0, s], steps(study.sax.plane(s).points(), 0))


def test_quarter_turns_and_mirrors_move_pixels_and_do_not_blend_them(tmp_path):
    square = STRAIGHT | {"shape": (44, 44)}
    ways = [{}, {}, {}, {"turn": 90.0}, {"turn": 270.0}, {"mirrored": True}, {"mirrored": True, "turn": 90.0}]
    for centre, how in zip(CENTRES, ways, strict=True):
        write(dataset_on(plane(centre, **square | how), paint=steps), tmp_path)
    stack = read_study(tmp_path).sax
    for s in range(7):
        assert np.array_equal(stack.frames[0, s], steps(stack.plane(s).points(), 0))


@pytest.mark.parametrize(("turn", "same"), [(0.0, True), (0.1, True), (1.0, False), (90.0, False)])
def test_pixels_are_alike_if_their_corners_are(turn, same):
    straight = plane(CENTRES[0], **STRAIGHT)
    assert alike(straight, plane(CENTRES[4], **STRAIGHT | {"turn": turn})) == same
    assert not alike(straight, plane(CENTRES[4], **STRAIGHT | {"mirrored": True}))
    assert not alike(straight, plane(CENTRES[4], **STRAIGHT | {"spacing": 1.52}))


def test_the_most_common_grid_counts_and_of_equals_the_finest():
    coarse, fine = plane(CENTRES[0], **STRAIGHT | {"spacing": 1.7}), plane(CENTRES[0], **STRAIGHT)
    assert common_grid([coarse, coarse, fine]) == [True, True, False]
    assert common_grid([coarse, fine]) == [False, True]


def test_resampled_slices_stand_in_line_with_displaced_neighbours():
    x, _ = axes(SAX_NORMAL)
    planes = [plane(centre + k * x, **STRAIGHT) for k, centre in enumerate(CENTRES)]
    turned = plane(CENTRES[3], **STRAIGHT | {"turn": 30.0})
    shared = [k != 3 for k in range(7)]
    found = stack_planes([*planes[:3], turned, *planes[4:]], shared)
    for expected, got in zip(planes, found, strict=True):
        np.testing.assert_allclose(got.origin, expected.origin, atol=1e-9)
