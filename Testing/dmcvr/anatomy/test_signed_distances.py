import numpy as np
import pytest
from dmcvr.anatomy.signed_distances import labels_from_distances, nested_distances
from dmcvr.core.labels import LVC, LVM, RVC
from drawnhearts import SPACING, disc_heart


def brute_force(mask: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    points = np.argwhere(np.ones(mask.shape, bool)) * spacing[::-1]
    inside = mask.ravel()
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    out = np.where(inside, distance[:, ~inside].min(1), -distance[:, inside].min(1))
    return (out - np.sign(out) * min(spacing) / 2).reshape(mask.shape)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.2, 2.0)])
@pytest.mark.parametrize("limit", [4.0, 100.0])
def test_distances_equal_brute_force(spacing, limit):
    labels = disc_heart(6, size=24, wall=3, rv=False)
    labels[2:9, 1:5] = RVC
    expected = [
        brute_force(mask, spacing) for mask in (labels == LVC, np.isin(labels, (LVC, LVM)), labels == RVC)
    ]
    found = nested_distances(labels, spacing, limit)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.clip(expected, -limit, limit), atol=1e-4)


def test_the_zero_lies_half_a_pixel_beyond_the_edge():
    labels = np.zeros((1, 12), np.uint8)
    labels[0, 4:8] = LVC
    labels = np.repeat(labels, 12, 0)
    found = nested_distances(labels, (2.0, 2.0))[0, 6]
    assert found[3] == -1
    assert found[4] == 1


def test_beyond_the_array_is_outside():
    found = nested_distances(np.full((5, 5), LVC, np.uint8), (1.0, 1.0))
    assert found[0, 2, 2] == 2.5
    assert found[0, 0, 0] == 0.5


def test_an_absent_structure_is_minus_the_limit_everywhere():
    found = nested_distances(disc_heart(12, rv=False), SPACING, 7.0)
    assert (found[2] == -7).all()
    assert found[1].max() == 7


def test_labels_come_back_from_their_distances_for_any_leading_shape():
    labels = np.random.default_rng(0).integers(0, 4, (2, 3, 20, 21)).astype(np.uint8)
    found = nested_distances(labels, (1.0, 2.5))
    assert found.shape == (2, 3, 3, 20, 21)
    np.testing.assert_array_equal(labels_from_distances(found), labels)


def test_where_lv_and_rv_overlap_the_lv_wins_and_cavity_needs_the_ventricle():
    distances = np.array([[1.0, 1.0, -1.0, -1.0], [-1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0]])[:, None, :]
    np.testing.assert_array_equal(labels_from_distances(distances), [[RVC, LVC, LVM, RVC]])


POSITIONS = np.array([0.0, 10.0, 20.0, 28.0])
WANTED = np.linspace(0, 28, 57)
