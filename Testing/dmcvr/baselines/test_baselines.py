import numpy as np
import pytest
from dmcvr.alignment.correspondence import Correspondences, align, displacements, gaps_of, warp, warp_pair
from dmcvr.baselines import INTERPOLATIONS
from dmcvr.baselines.weighted import bspline_weights, linear_weights, nearest_weights
from dmcvr.core.errors import CancelledError
from dmcvr.core.labels import LVC, LVM, RVC

SPACING = (1.5, 1.5)
POSITIONS = np.array([0.0, 10.0, 18.0])


def heart(
    row: float, column: float = 32.0, radius: float = 14.0, size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """A slice (size, size) of a bright cavity in a dark wall beside a bright RV, and its labels."""
    y, x = np.mgrid[:size, :size] - np.array([row, column])[:, None, None]
    lv, rv = np.hypot(y, x), np.hypot(y, x + 16)
    labels = np.zeros((size, size), np.uint8)
    labels[rv < 9] = RVC
    labels[lv < radius] = LVM
    labels[lv < radius - 5] = LVC

    def disc(distance):
        return 1 / (1 + np.exp(distance))

    image = 0.4 + 0.3 * disc(rv - 9)
    image = image + (0.15 - image) * disc(lv - radius) + 0.8 * disc(lv - radius + 5)
    return image.astype(np.float32), labels


@pytest.fixture(scope="module")
def stack() -> tuple[np.ndarray, np.ndarray]:
    slices = [heart(30, 34, 16), heart(32, 33, 14), heart(35, 32, 11)]
    return tuple(np.stack(arrays) for arrays in zip(*slices, strict=True))


def mean_square(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.square(a - b).mean())


def overlap(a: np.ndarray, b: np.ndarray, label: int) -> float:
    a, b = a == label, b == label
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_acquired_slices_come_back_unchanged(method, stack):
    frame, labels = stack
    wanted = np.array([0.0, 5.0, 10.0, 14.0, 18.0])
    images, found = INTERPOLATIONS[method](frame, labels, POSITIONS, wanted, SPACING)
    assert images.dtype == np.float32
    assert found.dtype == np.uint8
    assert images.shape == found.shape == (5, 64, 64)
    np.testing.assert_array_equal(images[[0, 2, 4]], frame)
    np.testing.assert_array_equal(found[[0, 2, 4]], labels)


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_one_slice_alone_comes_back(method, stack):
    frame, labels = (array[:1] for array in stack)
    images, found = INTERPOLATIONS[method](frame, labels, np.zeros(1), np.zeros(1), SPACING)
    np.testing.assert_array_equal(images, frame)
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_positions_beyond_the_ends_are_refused(method, stack):
    with pytest.raises(ValueError, match="between"):
        INTERPOLATIONS[method](*stack, POSITIONS, np.array([18.5]), SPACING)


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_nothing_changes_between_equal_slices(method):
    image, labels = heart(32)
    frame, stacked = np.stack([image] * 3), np.stack([labels] * 3)
    images, found = INTERPOLATIONS[method](frame, stacked, POSITIONS, np.array([2.0, 13.0]), SPACING)
    np.testing.assert_allclose(images, frame[:2], atol=1e-5)
    np.testing.assert_array_equal(found, stacked[:2])


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_a_stack_without_labels_stays_without(method, stack):
    frame, labels = stack
    _, found = INTERPOLATIONS[method](frame, np.zeros_like(labels), POSITIONS, np.array([3.0, 12.0]), SPACING)
    assert not found.any()


@pytest.mark.parametrize("method", ["shape", "registration"])
def test_a_structure_in_one_slice_only_ends_half_way(method, stack):
    frame, labels = stack
    labels = np.where((labels == RVC) & (np.arange(3) > 0)[:, None, None], 0, labels).astype(np.uint8)
    _, found = INTERPOLATIONS[method](frame, labels, POSITIONS, np.array([4.0, 6.0]), SPACING)
    assert (found[0] == RVC).any()
    assert not (found[1] == RVC).any()


def test_nearest_takes_the_closer_slice_and_the_lower_of_two():
    weights = nearest_weights(POSITIONS, np.array([4.9, 5.0, 5.1, 14.1]))
    np.testing.assert_array_equal(weights.argmax(1), [0, 0, 1, 2])


@pytest.mark.parametrize("method", ["nearest", "linear", "bspline"])
def test_half_way_rounding_of_positions_does_not_decide(method, stack):
    wanted = 5.0 + np.array([-0.001, 0.0, 0.001])
    labels = INTERPOLATIONS[method](*stack, POSITIONS, wanted, SPACING)[1]
    assert (labels == labels[1]).all()
    assert labels[1].any()


def test_linear_weights_follow_irregular_gaps():
    np.testing.assert_allclose(
        linear_weights(POSITIONS, np.array([2.5, 16.0])), [[0.75, 0.25, 0], [0, 0.25, 0.75]]
    )


def test_the_linear_rule_on_label_indicators_is_the_nearer_slice(stack):
    frame, labels = stack
    wanted = np.array([4.0, 13.0])
    indicators = (labels[..., None] == np.arange(4)).astype(float)
    expected = np.tensordot(linear_weights(POSITIONS, wanted), indicators, 1).argmax(-1)
    np.testing.assert_array_equal(
        INTERPOLATIONS["linear"](frame, labels, POSITIONS, wanted, SPACING)[1], expected
    )


def test_the_spline_is_the_natural_cubic_through_irregular_positions():
    positions = np.array([0.0, 1.0, 3.0, 4.0])
    wanted = np.linspace(0, 4, 17)
    weights = bspline_weights(positions, wanted)
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_allclose(weights @ positions, wanted)
    values = np.array([1.0, -2.0, 0.5, 3.0])
    # A natural spline solves A m = r for its second derivatives m, which are 0 at both ends.
    inner = np.linalg.solve([[6, 2], [2, 6]], 6 * np.diff(np.diff(values) / np.diff(positions)))
    second = np.array([0, *inner, 0])
    x, left = 1.5, 1
    gap = positions[left + 1] - positions[left]
    a, b = (positions[left + 1] - x) / gap, (x - positions[left]) / gap
    expected = a * values[left] + b * values[left + 1]
    expected += ((a**3 - a) * second[left] + (b**3 - b) * second[left + 1]) * gap**2 / 6
    assert bspline_weights(positions, np.array([x])) @ values == pytest.approx(expected)


def test_between_two_slices_the_spline_is_the_straight_line():
    positions, wanted = np.array([0.0, 8.0]), np.array([2.0])
    np.testing.assert_allclose(bspline_weights(positions, wanted), linear_weights(positions, wanted))


@pytest.mark.parametrize("t", [0.25, 0.5, 0.8])
def test_registration_follows_a_heart_that_moves_where_blending_shows_it_twice(t):
    pairs = [heart(27), heart(35)]
    frame, labels = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
    true_image, true_labels = heart(27 + 8 * t)
    wanted, positions = np.array([10 * t]), np.array([0.0, 10.0])
    images, found = INTERPOLATIONS["registration"](frame, labels, positions, wanted, SPACING)
    blend, nearer = INTERPOLATIONS["linear"](frame, labels, positions, wanted, SPACING)
    assert mean_square(images[0], true_image) < 0.005 * mean_square(blend[0], true_image)
    for label in (LVC, LVM, RVC):
        assert overlap(found[0], true_labels, label) > max(0.9, overlap(nearer[0], true_labels, label))


def test_the_field_of_a_translation_is_the_translation():
    first, second = heart(29, 30)[0], heart(33, 33)[0]
    field = align(first, second, SPACING).field
    inner = np.isin(heart(31, 31.5)[1], (LVC, LVM))
    np.testing.assert_allclose(np.median(field[:, inner], 1), [4, 3], atol=0.4)


def test_the_field_is_in_native_pixels_whatever_the_resolution():
    fine = [np.kron(heart(row)[0], np.ones((2, 2), np.float32)) for row in (29, 33)]
    field = align(*fine, (0.75, 0.75)).field
    assert field.shape == (2, 128, 128)
    inner = np.kron(heart(31)[1], np.ones((2, 2))) == LVM
    np.testing.assert_allclose(np.median(field[:, inner], 1), [8, 0], atol=0.8)


def test_pixels_need_not_be_square():
    tall = [np.repeat(heart(row)[0], 2, 0) for row in (29, 33)]
    field = align(*tall, (1.5, 0.75)).field
    inner = np.repeat(heart(31)[1], 2, 0) == LVM
    np.testing.assert_allclose(np.median(field[:, inner], 1), [8, 0], atol=0.8)


def test_swapping_the_slices_negates_the_field_and_the_unit_of_intensity_does_not_matter(stack):
    first, second = stack[0][:2]
    field = align(first, second, SPACING).field
    np.testing.assert_allclose(align(second, first, SPACING).field, -field, atol=1e-6)
    np.testing.assert_allclose(align(first * 900 + 50, second * 900 + 50, SPACING).field, field, atol=1e-2)


def test_blank_slices_do_not_move():
    blank = np.full((40, 40), 7, np.float32)
    np.testing.assert_array_equal(align(blank, blank, SPACING).field, 0)


def test_warp_samples_at_the_displaced_place_and_repeats_the_edge():
    image = np.arange(20, dtype=np.float32).reshape(4, 5)
    field = np.zeros((2, 4, 5))
    field[1] = 1.5
    expected = np.stack([np.interp(np.arange(5) + 1.5, np.arange(5), row) for row in image])
    found = warp(np.stack([[image], [-image]]), np.stack([field, 0 * field]))
    np.testing.assert_allclose(found, [[expected], [-image]], rtol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_a_pair_warped_by_its_true_field_agrees_at_every_fraction(t):
    # An expansion about the centre: x half-way maps to 0.9 x in the first slice and to 1.1 x in the second.
    offsets = np.indices((65, 65)) - 32.0
    field = 0.2 * offsets

    def bump(scale):
        return np.exp(-(np.square(offsets / scale).sum(0)) / 200)

    pair = bump(0.9)[None, None], bump(1.1)[None, None]
    first, second = (moved[0, 0] for moved in warp_pair(*pair, field[None], np.array([t])))
    expected = bump(0.9 + 0.2 * t)
    inner = np.s_[12:-12, 12:-12]
    np.testing.assert_allclose(first[inner], expected[inner], atol=0.01)
    np.testing.assert_allclose(second[inner], expected[inner], atol=0.01)


def test_the_displacements_are_those_a_pair_is_warped_by(stack):
    frame = stack[0][:, None]
    fields = np.stack([align(*frame[gap : gap + 2, 0], SPACING).field for gap in (0, 1)])
    t = np.array([0.3, 0.8])
    pair = [
        warp(images, to) for images, to in zip((frame[:2], frame[1:]), displacements(fields, t), strict=True)
    ]
    np.testing.assert_array_equal(warp_pair(frame[:2], frame[1:], fields, t), pair)


def test_fields_estimated_ahead_on_threads_are_those_of_one_gap_after_the_other(stack):
    frame, told = stack[0], []
    ahead = Correspondences(frame, SPACING)
    gaps = gaps_of(POSITIONS, np.array([0.0, 4.0, 5.0, 13.0]))
    ahead.estimate(gaps, lambda: told.append(len(told)))
    assert (gaps, told) == ([0, 1], [0, 1])
    for gap in gaps:
        np.testing.assert_array_equal(ahead.field(gap), align(frame[gap], frame[gap + 1], SPACING).field)


def test_a_field_is_found_sooner_from_that_of_a_frame_much_like_this_one():
    """The heart moves by 8 pixels between the slices, in the next frame by 9."""
    first, second, later = (heart(row)[0] for row in (27, 35, 36))
    inner = heart(31.5)[1] == LVM

    def error(field):
        return np.abs(np.median(field[:, inner], 1) - [9, 0]).max()

    near = align(first, second, SPACING)
    assert error(align(first, later, SPACING, near).field) < 0.4 < error(near.field)
    ahead = Correspondences(np.stack([first, later]), SPACING)
    ahead.estimate([0], near={0: near})
    np.testing.assert_array_equal(ahead.field(0), align(first, later, SPACING, near).field)


def test_a_field_is_fine_within_its_focus_and_coarse_beyond(stack):
    first, second = stack[0][:2]
    focus, inner, beyond = (slice(8, 56), slice(4, 60)), np.s_[:, 16:48, 12:52], np.s_[:, :4]
    whole, part = (align(first, second, SPACING, focus=area).field for area in (None, focus))
    np.testing.assert_allclose(part[inner], whole[inner], atol=0.1)
    assert np.abs(part[beyond] - whole[beyond]).max() > 0
    everything = align(first, second, SPACING, focus=(slice(0, 64), slice(0, 64))).field
    np.testing.assert_array_equal(everything, whole)


def test_estimating_ends_with_the_first_complaint(stack):
    """Of whoever is told, as when a run is cancelled."""
    alignment, told = Correspondences(stack[0], SPACING), []

    def complain():
        told.append(True)
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        alignment.estimate([0, 1], complain)
    assert told == [True]


def test_an_alignment_blends_whatever_lies_on_its_slices(stack):
    """Here beside the image its negative, which takes no part in finding what corresponds."""
    frame, labels = stack
    wanted = np.array([0.0, 4.0, 13.0])
    doubled = Correspondences(frame, SPACING).blend(np.stack([frame, -frame], 1), POSITIONS, wanted)
    expected = INTERPOLATIONS["registration"](frame, labels, POSITIONS, wanted, SPACING)[0]
    np.testing.assert_allclose(doubled[:, 0], expected, atol=1e-6)
    np.testing.assert_allclose(doubled[:, 1], -expected, atol=1e-6)
