"""Contour points of biv-me on an examination's images, and how far they lie from predicted boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Plane
from ..core.labels import LVC, LVM, RVC
from .compared_cuts import Lines
from .contour_points import read_contour_points

BOUNDARIES = {
    "LV_ENDOCARDIAL": LVC,
    "LV_EPICARDIAL": LVM,
    "RV_FREEWALL": RVC,
    "RV_SEPTUM": RVC,
}
"""The structure on whose outline a type's points lie; that of LVM is the epicardium. Free wall and septum are
the right ventricle's endocardium. Other types (valves, apex, insertions, RV epicardium) have no outline here.
"""
ON_PLANE_MM = 3.0
"""Points further than this from every image's plane belong to none."""


@dataclass(frozen=True)
class Contours:
    """The contour points of one frame.

    points: (N, 3) LPS mm. views: (N,) "SAX" or "LAX". labels: (N,) whose outline they lie on. images: (N,)
    the frameID of the image they were drawn on. frame: of the cine, counted from 0.
    """

    points: np.ndarray
    views: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    frame: int

    def on_planes(self, view: str, planes: Sequence[Plane]) -> list[dict[int, np.ndarray]]:
        """By plane, then by label, the (N, 3) points of ``view`` drawn there.

        The points of one image go together to the plane that they lie closest to; those of an image that is
        not among the planes are left out.
        """
        out: list[dict[int, np.ndarray]] = [{} for _ in planes]
        for image in np.unique(self.images[self.views == view]) if planes else ():
            mine = (self.images == image) & (self.views == view)
            away = [np.median(np.abs((self.points[mine] - plane.origin) @ plane.normal)) for plane in planes]
            nearest = int(np.argmin(away))
            if away[nearest] > ON_PLANE_MM:
                continue
            for label in np.unique(self.labels[mine]):
                points = self.points[mine & (self.labels == label)]
                known = out[nearest].get(int(label), np.empty((0, 3)))
                out[nearest][int(label)] = np.concatenate([known, points])
        return out


def read_contours(path: Path) -> Contours:
    """The points of BOUNDARIES in a file of contour points. Raises InputError where it is none."""
    points = read_contour_points(path)
    places, views, labels, images = [], [], [], []
    frames: dict[str, set[float]] = {"SAX": set(), "LAX": set()}
    for place, kind, image, frame in zip(
        points.places, points.kinds, points.images, points.frames, strict=True
    ):
        view, _, boundary = kind.partition("_")
        if view in frames and boundary in BOUNDARIES:
            frames[view].add(frame)
            places.append(place)
            views.append(view)
            labels.append(BOUNDARIES[boundary])
            images.append(image)
    if not places:
        raise InputError("A contour file holds no points of a ventricle's outlines.")
    # For the 3-chamber view biv-me writes the weight where the frame belongs: the short axis tells.
    (frame, *others) = frames["SAX"] or frames["LAX"]
    if others or frame != int(frame) or frame < 0:
        raise InputError("A contour file holds points of more than one time frame; give one file a frame.")
    return Contours(np.array(places), np.array(views), np.array(labels), np.array(images), int(frame))


def distances_to_outline(points: np.ndarray, lines: Sequence[np.ndarray], plane: Plane) -> np.ndarray:
    """(N,) mm, in the plane, of points (N, 3) LPS mm to the nearest of ``lines``; nan where there is none.

    lines: (M, 2) [row, column] each, in pixels of ``plane``.
    """
    scale = np.array(plane.spacing[::-1])
    where = plane.indices(points) * scale
    nearest = np.full(len(points), np.nan)
    for line in lines:
        starts, ends = line[:-1] * scale, line[1:] * scale
        along = ends - starts
        length = np.maximum((along**2).sum(1), 1e-12)
        part = np.clip(((where[:, None] - starts) * along).sum(2) / length, 0, 1)
        feet = starts + part[..., None] * along
        nearest = np.fmin(nearest, np.linalg.norm(where[:, None] - feet, axis=2).min(1))
    return nearest


def outline_distances(points: dict[int, np.ndarray], lines: Lines, plane: Plane) -> dict[int, np.ndarray]:
    """``distances_to_outline`` by label."""
    return {label: distances_to_outline(where, lines[label], plane) for label, where in points.items()}
