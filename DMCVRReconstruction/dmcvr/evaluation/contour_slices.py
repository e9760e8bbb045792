"""A short-axis (SAX) stack made from another tool's contours: its slices, filled in, without images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from skimage.draw import polygon2mask

from ..core.errors import InputError
from ..core.geometry import Plane, unit
from ..core.labels import BACKGROUND, LVC, LVM, RVC
from ..core.stack import Stack
from .contour_points import ContourPoints

PIXEL_MM = 1.25
MARGIN_MM = 40.0
PARALLEL = 0.99
"""Cosine between the normals of slices of one stack."""
SAME_PLACE_MM = 1.0
"""Slices closer than this are one slice acquired twice; the one with more points counts."""
LEAST_POINTS = 8
WIDEST_GAP = np.deg2rad(30)
INTENSITY = {BACKGROUND: 60.0, LVC: 400.0, LVM: 120.0, RVC: 400.0}
"""What the slices show in place of an image: methods that generate images need one."""


def read_planes(path: Path) -> dict[int, Plane]:
    """The images' planes by ID, from biv-me's SliceInfoFile. Their shapes are not told and are (1, 1). Raises
    InputError where it is no such file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("The file of slices cannot be read; check the path.") from error
    number = r"\t(-?[\d.eE+-]+)"
    line = (
        r"frameID:\t(\d+)\tImagePositionPatient"
        + 3 * number
        + r"\tImageOrientationPatient"
        + 6 * number
        + r"\tPixelSpacing"
        + 2 * number
    )
    planes = {}
    for found in re.finditer(line, text):
        values = np.array(found.groups()[1:], float)
        rows, columns = values[9], values[10]
        planes[int(found[1])] = Plane(values[:3], columns * values[3:6], rows * values[6:9], (1, 1))
    if not planes:
        raise InputError("The file of slices is not the SliceInfoFile that biv-me writes.")
    return planes


def stack_from_contours(points: ContourPoints, planes: Mapping[int, Plane]) -> tuple[Stack, np.ndarray]:
    """The SAX slices of one frame's points, straight above each other, and their labels (S, H, W) uint8.

    planes: of the images, by ID. Of the images drawn on as SAX ones, those count that are parallel to most.
    Raises InputError where fewer than two slices remain.
    """
    sax = _short_axis(points, planes)
    if len(sax) < 2:
        raise InputError("The contours are of fewer than two parallel short-axis slices.")
    first = planes[sax[0]]
    x, y, normal = unit(first.step_x), unit(first.step_y), first.normal
    across = np.concatenate([points.select(points.images == image).places for image in sax]) @ np.stack(
        [x, y], 1
    )
    low, high = across.min(0) - MARGIN_MM, across.max(0) + MARGIN_MM
    columns, rows = (int(n) for n in np.ceil((high - low) / PIXEL_MM).astype(int) + 1)
    origins = np.array([low[0] * x + low[1] * y + (planes[image].origin @ normal) * normal for image in sax])
    stack = Stack(np.zeros((1, len(sax), rows, columns), np.float32), origins, PIXEL_MM * x, PIXEL_MM * y)
    labels = np.stack(
        [_fill(points.select(points.images == image), stack.plane(i)) for i, image in enumerate(sax)]
    )
    levels = np.array([INTENSITY[label] for label in sorted(INTENSITY)], np.float32)
    return replace(stack, frames=levels[labels][None]), labels


def _short_axis(points: ContourPoints, planes: Mapping[int, Plane]) -> list[int]:
    """IDs of the slices of the stack, sorted along the normal of the first."""
    drawn = [kind.startswith("SAX_") for kind in points.kinds]
    counts = {
        int(i): int(n) for i, n in zip(*np.unique(points.images[drawn], return_counts=True), strict=True)
    }
    normals = {image: planes[image].normal for image in counts if image in planes}
    groups = [
        [other for other in normals if normals[other] @ normal > PARALLEL] for normal in normals.values()
    ]
    parallel = max(groups, key=len, default=[])
    kept: list[int] = []
    for image in sorted(parallel, key=lambda image: -counts[image]):
        away = [abs((planes[image].origin - planes[other].origin) @ normals[image]) for other in kept]
        if min(away, default=np.inf) > SAME_PLACE_MM:
            kept.append(image)
    return sorted(kept, key=lambda image: planes[image].origin @ normals[kept[0]])


def _fill(points: ContourPoints, plane: Plane) -> np.ndarray:
    """Labels (H, W) of one slice. Where the epicardium is not drawn, the right ventricle's septum closes
    it."""
    basis = np.linalg.pinv(np.stack([plane.step_y, plane.step_x], 1))

    def outline(*kinds: str) -> np.ndarray:
        return (points.of(*(f"SAX_{kind}" for kind in kinds)) - plane.origin) @ basis.T

    cavity = outline("LV_ENDOCARDIAL")
    epicardium = outline("LV_EPICARDIAL")
    right = outline("RV_FREEWALL", "RV_SEPTUM")
    labels = np.zeros(plane.shape, np.uint8)
    if len(outline("RV_FREEWALL")) >= LEAST_POINTS:
        labels[polygon2mask(plane.shape, _chained(right))] = RVC
    if len(epicardium) >= LEAST_POINTS:
        middle = cavity.mean(0) if len(cavity) else epicardium.mean(0)
        whole = _closed(epicardium, outline("RV_SEPTUM"), middle)
        labels[polygon2mask(plane.shape, _around(whole, middle))] = LVM
        if len(cavity) >= LEAST_POINTS:
            labels[polygon2mask(plane.shape, _around(cavity, middle))] = LVC
    return labels


def _closed(points: np.ndarray, septum: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Outline ``points`` (N, 2) with those of the ``septum`` (M, 2) in their widest gap as seen from
    ``middle``, if it is wider than WIDEST_GAP.
    """
    angles = np.sort(_angles(points, middle))
    gaps = np.diff(angles, append=angles[0] + 2 * np.pi)
    if gaps.max() <= WIDEST_GAP or not len(septum):
        return points
    start = angles[gaps.argmax()]
    within = (_angles(septum, middle) - start) % (2 * np.pi) < gaps.max()
    return np.concatenate([points, septum[within]])


def _angles(points: np.ndarray, middle: np.ndarray) -> np.ndarray:
    away = points - middle
    return np.arctan2(away[:, 0], away[:, 1])


def _around(points: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Points (N, 2) of an outline that is seen from its ``middle``, in order."""
    return points[np.argsort(_angles(points, middle))]


def _chained(points: np.ndarray) -> np.ndarray:
    """Points (N, 2) of a crescent's outline, each followed by the nearest one that is left."""
    left = list(range(1, len(points)))
    order = [0]
    while left:
        away = np.linalg.norm(points[left] - points[order[-1]], axis=1)
        order.append(left.pop(int(away.argmin())))
    return points[order]
