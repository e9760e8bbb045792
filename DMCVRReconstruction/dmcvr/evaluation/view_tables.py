"""Tables of one examination: volumes, and distances of contour points to the outlines found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..anatomy.cuts import outlines, outlines_on_plane
from ..core.labels import LVC, LVM, NAMES, RVC
from ..core.stack import Stack
from .contours import outline_distances
from .real_examination import ExaminedFrame
from .summary import Column, Row, Table

BOUNDARY_NAMES = {LVC: "LV endocardium", LVM: "LV epicardium", RVC: "RV endocardium"}
VOLUME_COLUMNS = tuple(Column(f"{name} ml", 1) for name in NAMES.values())
DISTANCE_COLUMNS = (
    Column("median mm", 2),
    Column("95th percentile mm", 2),
    Column("points", 0),
    Column("points without outline", 0),
)
DISTANCE_NOTES = (
    "Distances, within the image's plane, of the contour points to the outline of the labels; points on an "
    "image where the labels show nothing of their structure have no distance and are counted.",
    "Short axis: the labels of the acquired slices. Long axis: the reconstructions on the planes of the "
    "long-axis images; points beyond the first and last slice are left out, as few methods reconstruct "
    "anything there.",
)


def examination_tables(examined: Sequence[ExaminedFrame], drawn: str) -> list[Table]:
    """Volumes by frame and method, and where there are contour points, how far these lie from the outlines.

    drawn: whose labels those of the acquired slices are.
    """
    volumes = Table(
        "Volumes",
        ("frame", "method"),
        VOLUME_COLUMNS,
        tuple(
            Row(
                item.name,
                (item.name, method),
                {f"{name} ml": value for name, value in result.volumes[0].items()},
            )
            for item in examined
            for method, result in item.results.items()
        ),
        (f"Of the reconstructions. Labels of the acquired slices: {drawn}.",),
    )
    rows = [row for item in examined for row in _distance_rows(item, drawn)]
    if not rows:
        return [volumes]
    distances = Table(
        "Contour points",
        ("images", "labels", "boundary"),
        DISTANCE_COLUMNS,
        tuple(sorted(rows, key=lambda row: row.group[0] != "short axis")),
        DISTANCE_NOTES,
    )
    return [volumes, distances]


def _distance_rows(item: ExaminedFrame, drawn: str) -> list[Row]:
    rows = []
    planes = [item.stack.plane(index) for index in range(len(item.labels))]
    found = [
        outline_distances(points, outlines(labels), plane)
        for points, labels, plane in zip(item.points, item.labels, planes, strict=True)
    ]
    rows += _summaries(item.name, "short axis", drawn, found)
    for method, result in item.results.items():
        found = []
        for image in item.lax:
            plane = image.stack.plane(0)
            lines = outlines_on_plane(result.labels[0], result.grid, plane)
            inside = {label: points[_between(points, item.stack)] for label, points in image.points.items()}
            found.append(outline_distances(inside, lines, plane))
        rows += _summaries(item.name, "long axis", method, found)
    return rows


def _between(points: np.ndarray, stack: Stack) -> np.ndarray:
    """(N,) which of the points (N, 3) lie between the first slice and the last."""
    heights = (points - stack.origins[0]) @ stack.normal
    return (heights >= 0) & (heights <= stack.positions[-1])


def _summaries(case: str, images: str, labels: str, found: Sequence[dict[int, np.ndarray]]) -> list[Row]:
    """One row a boundary of the distances ``found`` on the images, by label."""
    rows = []
    for label, name in BOUNDARY_NAMES.items():
        parts = [item[label] for item in found if label in item]
        if not parts:
            continue
        distances = np.concatenate(parts)
        known = distances[~np.isnan(distances)]
        values = {
            "points": float(len(distances)),
            "points without outline": float(len(distances) - len(known)),
        }
        if len(known):
            values |= {
                "median mm": float(np.median(known)),
                "95th percentile mm": float(np.percentile(known, 95)),
            }
        rows.append(Row(case, (images, labels, name), values))
    return rows
