import math

import numpy as np
import pytest
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.metrics import (
    dice,
    is_missing,
    psnr,
    sharpness,
    ssim,
    structures,
    surface,
    surface_distances,
    voe,
)
from hypothesis import given
from hypothesis import strategies as st
from medpy.metric import binary
from scipy.spatial import cKDTree
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def blob(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """A random mask with a rough surface that touches the array's border now and then."""
    random = np.random.default_rng(seed)
    centre = [random.uniform(0.2, 0.8) * (size - 1) for size in shape]
    distance = np.linalg.norm(np.moveaxis(np.indices(shape), 0, -1) - centre, axis=-1)
    return distance + random.uniform(-1, 1, shape) < random.uniform(3, 6)


def surface_points(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Voxel by voxel: foreground with an outside face neighbour, in mm."""
    points = []
    for index in np.argwhere(mask):
        for axis in range(mask.ndim):
            for step in (-1, 1):
                other = index.copy()
                other[axis] += step
                if not 0 <= other[axis] < mask.shape[axis] or not mask[tuple(other)]:
                    points.append(tuple(index))
    return np.array(sorted(set(points))) * np.array(spacing[::-1])


@pytest.mark.parametrize(
    ("shape", "spacing"), [((14, 17), (1.5, 1.5)), ((14, 17), (0.7, 2.1)), ((9, 12, 13), (1.2, 1.9, 6.5))]
)
@pytest.mark.parametrize("seed", range(4))
def test_surface_distances_equal_a_nearest_neighbour_search(shape, spacing, seed):
    predicted, true = blob(seed, shape), blob(seed + 100, shape)
    p, t = surface_points(predicted, spacing), surface_points(true, spacing)
    forward, backward = cKDTree(t).query(p)[0], cKDTree(p).query(t)[0]
    found = surface_distances(predicted, true, spacing)
    assert found.asd == pytest.approx(forward.mean())
    assert found.assd == pytest.approx((forward.sum() + backward.sum()) / (len(p) + len(t)))
    assert found.assd_directed == pytest.approx((forward.mean() + backward.mean()) / 2)
    assert found.hd == pytest.approx(max(forward.max(), backward.max()))
    assert found.hd95 == pytest.approx(max(np.percentile(forward, 95), np.percentile(backward, 95)))


def test_a_known_shift_along_a_coarse_axis():
    mask = np.zeros((6, 10, 10), bool)
    mask[1:3, 3:7, 3:7] = True
    found = surface_distances(np.roll(mask, 1, 0), mask, (1.0, 1.0, 8.0))
    assert found.hd == 8
    found = surface_distances(np.roll(mask, 2, 2), mask, (1.0, 1.0, 8.0))
    assert found.hd == 2


def test_asd_is_directed_from_the_prediction():
    true = np.zeros((1, 30), bool)
    true[0, [2, 20]] = True
    part = np.zeros_like(true)
    part[0, 2] = True
    assert surface_distances(part, true, (1.0, 1.0)).asd == 0
    assert surface_distances(true, part, (1.0, 1.0)).asd == 9
    assert surface_distances(part, true, (1.0, 1.0)).assd == 6
    assert surface_distances(part, true, (1.0, 1.0)).assd_directed == 4.5


def test_the_border_of_the_array_is_outside():
    np.testing.assert_array_equal(surface(np.ones((3, 4), bool)), [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]])


def test_masks_and_spacing_must_agree():
    mask = np.ones((3, 3), bool)
    with pytest.raises(ValueError, match="spacing"):
        surface_distances(mask, mask, (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="shape"):
        surface_distances(mask, mask[:2], (1.0, 1.0))


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1))
def test_overlap_equals_set_arithmetic(a_bits, b_bits):
    a, b = ({i for i in range(16) if bits >> i & 1} for bits in (a_bits, b_bits))
    masks = [np.isin(np.arange(16), list(members)).reshape(4, 4) for members in (a, b)]
    if not a | b:
        assert math.isnan(dice(*masks))
        assert math.isnan(voe(*masks))
        return
    assert dice(*masks) == pytest.approx(2 * len(a & b) / (len(a) + len(b)))
    assert voe(*masks) == pytest.approx(100 - 100 * len(a & b) / len(a | b))


def test_an_empty_mask_is_told_apart_from_two():
    full, empty = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    assert [
        is_missing(full, empty),
        is_missing(empty, full),
        is_missing(empty, empty),
        is_missing(full, full),
    ] == [
        True,
        True,
        False,
        False,
    ]
    assert dice(empty, full) == 0
    assert voe(full, empty) == 100
    for pair in ((full, empty), (empty, full), (empty, empty)):
        distances = surface_distances(*pair, (1.0, 1.0))
        assert all(math.isnan(value) for value in vars(distances).values())


def test_structures_are_the_three_labels_and_their_union():
    labels = np.array([[0, LVC, LVM, RVC]])
    found = {name: mask.astype(int).tolist() for name, mask in structures(labels).items()}
    assert found == {
        "all": [[0, 1, 1, 1]],
        "LVC": [[0, 1, 0, 0]],
        "LVM": [[0, 0, 1, 0]],
        "RVC": [[0, 0, 0, 1]],
    }


def test_sharpness_is_the_mean_gradient_inside_the_field_of_view():
    ramp = np.tile(np.arange(6) * 0.1, (5, 1))
    ramp[:, 3:] += 1.0
    assert sharpness(ramp) == pytest.approx((4 * 0.1 + 1.1) / 5)
    field = np.zeros((5, 6), bool)
    field[:, :2] = True
    assert sharpness(ramp, field) == pytest.approx(0.1)
    assert sharpness(ramp.T) == pytest.approx(sharpness(ramp))


def test_psnr_of_a_known_error_inside_the_field_of_view():
    reference = np.zeros((8, 8))
    image = reference + 0.1
    image[:, 4:] = 0.5
    field = np.zeros((8, 8), bool)
    field[:, :4] = True
    assert psnr(image, reference, field) == pytest.approx(20)
    assert psnr(image, reference) == pytest.approx(-10 * math.log10((0.01 + 0.25) / 2))
    assert psnr(reference, reference) == math.inf


def test_ssim_is_one_for_equal_images_and_scores_the_field_of_view_alone():
    random = np.random.default_rng(0)
    reference = random.uniform(0, 1, (32, 32))
    image = reference.copy()
    image[:, 16:] = random.uniform(0, 1, (32, 16))
    left = np.zeros((32, 32), bool)
    left[:, :12] = True
    assert ssim(reference, reference) == pytest.approx(1)
    assert ssim(image, reference, left) == pytest.approx(1)
    assert ssim(image, reference, ~left) < ssim(image, reference) < 1


def test_ssim_equals_its_formula_on_one_window():
    random = np.random.default_rng(1)
    a, b = random.uniform(0, 1, (2, 7, 7))
    c1, c2 = 0.01**2, 0.03**2
    covariance = np.cov(a.ravel(), b.ravel())
    expected = (2 * a.mean() * b.mean() + c1) * (2 * covariance[0, 1] + c2)
    expected /= (a.mean() ** 2 + b.mean() ** 2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)
    assert ssim(a, b) == pytest.approx(expected)


@pytest.mark.parametrize("spacing", [(1.5, 1.5, 8.0), (0.7, 1.9, 5.0)])
@pytest.mark.parametrize("seed", range(4))
def test_medpy_gives_the_same_overlap_and_distances(spacing, seed):
    predicted, true = blob(seed, (9, 14, 13)), blob(seed + 50, (9, 14, 13))
    found = surface_distances(predicted, true, spacing)
    along_axes = spacing[::-1]
    assert dice(predicted, true) == pytest.approx(binary.dc(predicted, true))
    assert voe(predicted, true) == pytest.approx(100 * (1 - binary.jc(predicted, true)))
    assert found.asd == pytest.approx(binary.asd(predicted, true, along_axes))
    assert found.assd == pytest.approx(binary.assd(predicted, true, along_axes))
    backward = binary.asd(true, predicted, along_axes)
    assert found.assd_directed == pytest.approx((found.asd + backward) / 2)
    assert found.hd == pytest.approx(binary.hd(predicted, true, along_axes))
    # medpy's HD95 pools both directions, ours is the larger of the two: theirs from medpy's own distances.
    one_way = getattr(binary, "__surface_distances")
    pair = one_way(predicted, true, along_axes, 1), one_way(true, predicted, along_axes, 1)
    assert found.hd95 == pytest.approx(max(np.percentile(distances, 95) for distances in pair))
    assert found.hd95 >= binary.hd95(predicted, true, along_axes) - 1e-9


def test_scikit_image_gives_the_same_image_scores():
    random = np.random.default_rng(2)
    true = random.uniform(0, 1, (24, 30))
    image = np.clip(true + random.normal(0, 0.1, true.shape), 0, 1)
    assert psnr(image, true) == pytest.approx(peak_signal_noise_ratio(true, image, data_range=1))
    assert ssim(image, true) == pytest.approx(structural_similarity(true, image, data_range=1))
