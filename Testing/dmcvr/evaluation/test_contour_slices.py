"""Slices from contours, and distances of points from surfaces, of shapes of known answer."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, Plane
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.contour_points import ContourPoints, read_contour_points
from dmcvr.evaluation.contour_slices import PIXEL_MM, read_planes, stack_from_contours
from dmcvr.evaluation.contour_table import (
    ALL,
    ContourCase,
    Surfaces,
    contour_rows,
    contour_table,
    image_displacement,
)
from dmcvr.evaluation.methods import Comparison, reconstructions

AXES = np.array([[0.8, 0.6, 0], [0, 0, -1.0], [-0.6, 0.8, 0]])
"""x, y and the normal of the slices."""
INNER, OUTER, GAP = 20.0, 30.0, 8.0


def circle(radius, z, start=0.0, end=2 * np.pi, middle=(0.0, 0.0)):
    angles = np.arange(start, end, 1.0 / radius)
    flat = np.stack([middle[0] + radius * np.cos(angles), middle[1] + radius * np.sin(angles)], 1)
    return np.column_stack([flat, np.full(len(flat), z)]) @ AXES


@pytest.fixture(scope="module")
def cylinder():
    """Contours of a cylinder with a crescent beside it, 6 slices, one of them acquired twice."""
    parts, planes = [], {}
    for image in range(7):
        z = GAP * min(image, 5)
        planes[image] = Plane(np.array([0, 0, z]) @ AXES, 2.0 * AXES[0], 2.0 * AXES[1], (1, 1))
        side = np.pi / 3
        drawn = {
            "SAX_LV_ENDOCARDIAL": circle(INNER, z),
            # The septum is drawn as the right ventricle's only.
            "SAX_LV_EPICARDIAL": circle(OUTER, z, side, 2 * np.pi - side),
            "SAX_RV_SEPTUM": circle(OUTER, z, -side, side),
            "SAX_RV_FREEWALL": circle(OUTER, z, -2.2, 2.2, (OUTER, 0.0))[5:-5],
        }
        if image == 6:
            drawn = {"SAX_LV_ENDOCARDIAL": circle(INNER, z)}
        parts += [(points, kind, image) for kind, points in drawn.items()]
    planes[9] = Plane(np.zeros(3), 2.0 * AXES[0], 2.0 * AXES[2], (1, 1))
    parts.append((circle(INNER, 0.0) @ AXES.T @ AXES[[0, 2, 1]], "SAX_LV_ENDOCARDIAL", 9))
    places = np.concatenate([points for points, _, _ in parts])
    kinds = np.concatenate([[kind] * len(points) for points, kind, _ in parts])
    images = np.concatenate([[image] * len(points) for points, _, image in parts])
    return ContourPoints(places, kinds, images, np.zeros(len(places))), planes


def test_slices_are_filled_and_sorted_and_only_those_of_the_stack(cylinder):
    stack, labels = stack_from_contours(*cylinder)
    assert stack.positions == pytest.approx(GAP * np.arange(6))
    area = PIXEL_MM**2
    for image in labels:
        assert (image == LVC).sum() * area == pytest.approx(np.pi * INNER**2, rel=0.02)
        assert (image == LVM).sum() * area == pytest.approx(np.pi * (OUTER**2 - INNER**2), rel=0.03)
        assert (image == RVC).sum() * area > 800
    rows, columns = np.nonzero(labels[2] == LVC)
    middle = stack.origins[2] + rows.mean() * stack.step_y + columns.mean() * stack.step_x
    assert middle @ AXES.T == pytest.approx([0, 0, 2 * GAP], abs=0.3)


def test_too_few_slices_are_refused(cylinder):
    points, planes = cylinder
    with pytest.raises(InputError, match="fewer than two"):
        stack_from_contours(points.select(points.images == 2), planes)


def test_distances_from_a_sphere():
    grid = Grid(np.full(3, -30.0), *np.eye(3), (61, 61, 61))
    axes = np.indices(grid.shape) - 30
    ball = np.linalg.norm(axes, axis=0) <= 20
    away = np.array([[20.0, 0, 0], [0, 25.0, 0], [0, 0, 12.0], [0, 0, 45.0], [-60.0, 0, 0]])
    surfaces = Surfaces(np.where(ball, LVC, 0), grid, away)
    assert surfaces.away("APEX_POINT", away) == pytest.approx([0, 5, 8, 25, 40], abs=0.7)
    assert np.isnan(surfaces.away("TRICUSPID_VALVE", away)).all()


def test_a_displaced_image_is_moved_back_by_its_contours_alone():
    grid = Grid(np.full(3, -30.0), *np.eye(3), (61, 61, 61))
    axes = np.indices(grid.shape) - 30
    ball = np.where(np.linalg.norm(axes, axis=0) <= 20, LVC, 0)
    angles = np.linspace(0, 2 * np.pi, 60)
    circle = 20.3 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)
    places = np.concatenate([circle, [[0, 0, 0.0]]]) + np.array([3.0, -2.0, 0.0])
    kinds = np.array(["LAX_LV_ENDOCARDIAL"] * 60 + ["MITRAL_VALVE"])
    points = ContourPoints(places, kinds, np.ones(61, int), np.zeros(61))
    surfaces = Surfaces(ball, grid, places)
    assert image_displacement(points, surfaces) == pytest.approx([-3, 2, 0], abs=0.6)
    assert not image_displacement(points.select(kinds == "MITRAL_VALVE"), surfaces).any()


def test_points_on_the_contours_lie_on_the_surface(cylinder):
    points, planes = cylinder
    stack, labels = stack_from_contours(points, planes)
    kinds = np.array([kind.replace("SAX_LV", "LAX_LV") for kind in points.kinds])
    on_surface = replace(points, kinds=kinds).select((points.images > 0) & (points.images < 5))
    ((_, result),) = reconstructions(stack, labels, None, Comparison(("shape",)))
    rows = {row.group[0]: row.values for row in contour_rows("one", ("shape",), on_surface, result)}
    assert set(rows) == {"LAX_LV_ENDOCARDIAL", "LAX_LV_EPICARDIAL", ALL}
    assert rows["LAX_LV_ENDOCARDIAL"]["mean, mm"] < 0.6
    assert rows["LAX_LV_EPICARDIAL"]["mean, mm"] < 0.6
    further = replace(on_surface, places=on_surface.places + np.array([0, 0, 3.0]))
    moved = {row.group[0]: row.values for row in contour_rows("one", ("shape",), further, result)}
    assert moved["LAX_LV_ENDOCARDIAL"]["mean, mm"] == pytest.approx(3 * 2 / np.pi, abs=0.3)


def test_the_table_holds_every_method(cylinder, lines):
    points, planes = cylinder
    kinds = np.array(
        [
            kind.replace("SAX_LV", "LAX_LV") if i == 3 else kind
            for kind, i in zip(points.kinds, points.images, strict=True)
        ]
    )
    case = ContourCase("frame 0", *stack_from_contours(points, planes), replace(points, kinds=kinds))
    table = contour_table([case], None, Comparison(("nearest", "shape")))
    assert (ALL, "nothing", "shape") in lines(table)
    assert (ALL, "nothing", "nearest") in lines(table)


def test_planes_are_read(tmp_path):
    path = tmp_path / "SliceInfoFile.txt"
    path.write_text(
        "slice1\tframeID:\t4\tImagePositionPatient\t-1.5\t2.0\t3.0\tImageOrientationPatient\t1.0\t0.0\t0.0\t"
        "0.0\t0.0\t-1.0\tPixelSpacing\t1.5\t2.5\n"
    )
    plane = read_planes(path)[4]
    assert plane.origin.tolist() == [-1.5, 2, 3]
    assert plane.step_x.tolist() == [2.5, 0, 0]
    assert plane.step_y.tolist() == [0, 0, -1.5]
    path.write_text("something else")
    with pytest.raises(InputError, match="SliceInfoFile"):
        read_planes(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_planes(tmp_path / "missing.txt")


def test_points_of_several_frames_and_either_name_of_the_image(tmp_path):
    path = tmp_path / "GPFile.txt"
    path.write_text(
        "x\ty\tz\tcontour type\tsliceID\tweight\ttime frame\n"
        "1\t2\t3\tAPEX_POINT\t1\t1.0\t0\n4\t5\t6\tAPEX_POINT\t2\t1.0\t1\n"
    )
    points = read_contour_points(path)
    assert points.frames.tolist() == [0, 1]
    assert points.of("APEX_POINT", image=2).tolist() == [[4, 5, 6]]
    assert points.select(points.frames == 0).of("APEX_POINT").tolist() == [[1, 2, 3]]
    path.write_text("x\ty\n")
    with pytest.raises(InputError, match="biv-me"):
        read_contour_points(path)
