"""Images and outlines on planes through stacks and volumes."""

import numpy as np
from dmcvr.anatomy.cuts import cut_stack, outlines, outlines_on_plane
from dmcvr.core.geometry import Grid, Plane
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.stack import Stack

GAP = 8.0


def test_stack_cut_takes_the_nearest_slice_at_its_own_place():
    values = np.arange(1.0, 8)[:, None, None] * np.ones((7, 10, 10))
    values[:, :, 5:] += 100
    origins = np.array([[0, 0, GAP * k] for k in range(7)], float)
    origins[3, 0] = 4.0  # displaced by two pixels
    stack = Stack(values[None], origins, np.array([2.0, 0, 0]), np.array([0, 2.0, 0]))
    plane = Plane(np.array([0, 8.0, -8.0]), np.array([2.0, 0, 0]), np.array([0, 0, 1.0]), (66, 10))
    cut = cut_stack(stack, 0, plane, order=0)
    heights = np.arange(66) - 8
    inside = (heights >= -4) & (heights < 52)
    assert (cut[~inside] == 0).all()
    own = np.floor(heights[inside] / GAP + 0.5).astype(int)
    row = cut[inside]
    straight = own != 3
    np.testing.assert_array_equal(row[straight, 0], own[straight] + 1)
    np.testing.assert_array_equal(row[straight, 5], own[straight] + 101)
    np.testing.assert_array_equal(row[~straight][:, [0, 6, 7]], [[0, 4, 104]] * int((~straight).sum()))


def test_outlines_lie_on_the_boundary():
    rows, columns = np.indices((40, 40))
    radius = np.hypot(rows - 20, columns - 18)
    labels = np.where(radius < 8, LVC, np.where(radius < 12, LVM, 0)).astype(np.uint8)
    found = outlines(labels)
    assert found[RVC] == []
    for label, edge in ((LVC, 8), (LVM, 12)):
        (line,) = found[label]
        assert np.abs(np.hypot(*(line - [20, 18]).T) - edge).max() < 1
        np.testing.assert_array_equal(line[0], line[-1])


def test_outlines_on_an_oblique_plane():
    z, y, x = np.indices((40, 60, 60))
    ball = np.where(4 * (z - 20) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 < 20**2, RVC, 0).astype(np.uint8)
    grid = Grid(np.zeros(3), *np.diag([1.0, 1.0, 2.0]), ball.shape)
    plane = Plane(np.array([0.0, 6, 8]), np.array([1.0, 0, 0]), np.array([0, 0.6, 0.8]), (81, 61))
    (line,) = outlines_on_plane(ball, grid, plane)[RVC]
    assert np.abs(np.hypot(*(line - [40, 30]).T) - 20).max() < 1.2
