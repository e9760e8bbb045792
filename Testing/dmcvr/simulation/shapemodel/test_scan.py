"""The scan of a heart of the shape model: images and labels lie where they say they do."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.simulation.shapemodel import scan_heart
from dmcvr.simulation.shapemodel.tissues import AORTA, LA, RA


def cut(heart, plane, shift=0.0):
    points = plane.points().reshape(-1, 3) - shift
    return heart.labels(points.astype(np.float32)).reshape(plane.shape)


def test_sax_labels_are_the_truth_at_the_displaced_place(scanned):
    assert np.abs(scanned.shifts).max() > 4
    for index, shift in enumerate(scanned.shifts):
        labels = scanned.sax_labels[0, index]
        true = cut(scanned.heart, scanned.sax.plane(index), shift)
        assert (labels != true).sum() <= 0.02 * (true > 0).sum() + 2
    assert len(np.unique(scanned.sax_labels)) == 4


def test_lax_labels_are_the_truth_undisplaced(scanned):
    for view, stack in scanned.lax.items():
        plane = stack.plane(0)
        assert np.array_equal(scanned.lax_labels[view][0, 0], cut(scanned.heart, plane))
        grid = Grid(plane.origin, plane.step_x, plane.step_y, plane.normal, (1, *plane.shape))
        assert np.array_equal(scanned.truth(grid)[0], scanned.lax_labels[view][0, 0])


def test_views_hold_the_chambers_they_are_named_for(scanned):
    shape = scanned.heart.shape
    seen = {}
    for view, stack in scanned.lax.items():
        points = stack.plane(0).points()
        seen[view] = set(np.unique(shape.grid.sample(shape.tissues, points, order=0)).tolist())
        assert {LVC, LVM, LA} <= seen[view]
    assert {RVC, RA} <= seen["4ch"]
    assert AORTA in seen["3ch"]
    assert RA not in seen["2ch"]
    areas = {view: (labels == RVC).sum() for view, labels in scanned.lax_labels.items()}
    assert areas["4ch"] > 3 * areas["2ch"]


def test_labels_have_the_volume_of_the_shape(scanned):
    shape = scanned.heart.shape
    low, high = (f(shape.grid.position(np.argwhere(shape.tissues > 0)), axis=0) for f in (np.min, np.max))
    grid = Grid(low - 2, *(np.eye(3) * 2.0), tuple(int(n) for n in ((high - low) / 2 + 3)[::-1]))
    truth = scanned.truth(grid)
    for label in (LVC, LVM, RVC):
        assert (truth == label).sum() * grid.voxel_ml == pytest.approx(shape.volume_ml(label), rel=0.03)


def test_the_heart_stands_in_the_body_as_configured(scanned, deformed):
    config, shape = scanned.config, scanned.heart.shape
    assert shape.axes[2] == pytest.approx(-config.apex_direction, abs=0.02)
    assert scanned.sax.normal == pytest.approx(shape.axes[2], abs=1e-6)
    assert np.allclose(scanned.sax.gaps, config.slice_gap_mm)
    assert shape.volume_ml(LVC) == pytest.approx(deformed.volume_ml(LVC))
    labels = scanned.sax_labels[0]
    assert not labels[0].any()
    assert not (labels[-1] == LVC).any()


def test_images_show_what_the_labels_say(scanned):
    image, labels = scanned.sax.frames, scanned.sax_labels
    assert np.median(image[labels == LVC]) > 2 * np.median(image[labels == LVM])
    assert np.median(image[labels == RVC]) > 2 * np.median(image[labels == LVM])
    assert (image[labels == LVC] < 0.5 * np.median(image[labels == LVC])).mean() > 0.01  # papillary muscles
    assert image.dtype == np.float32
    for view, stack in scanned.lax.items():
        frame, drawn = stack.frames[0, 0], scanned.lax_labels[view][0, 0]
        assert np.median(frame[drawn == LVC]) > 2 * np.median(frame[drawn == LVM])


def test_same_arguments_same_scan(scanned, deformed):
    small = replace(scanned.config, slice_gap_mm=30.0, matrix=(50, 60), lax_matrix=(8, 8))
    first, again, other = (scan_heart(deformed, replace(small, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(again.sax.frames, first.sax.frames)
    assert np.array_equal(again.sax_labels, first.sax_labels)
    assert np.array_equal(again.lax["3ch"].frames, first.lax["3ch"].frames)
    assert not np.array_equal(other.sax.frames[:, 0], first.sax.frames[:, 0])
