"""Reconstructions cut by long-axis (LAX) planes, beside the real images or the exact truth on these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..anatomy.cuts import outlines, outlines_on_plane
from ..anatomy.long_axis import long_axis
from ..anatomy.long_axis_views import View, long_axis_views
from ..core.errors import InputError
from ..core.geometry import sample_plane
from ..core.intensity import grey_limits
from ..core.labels import BACKGROUND
from ..core.stack import Stack
from ..reconstruction.result import Reconstruction

Lines = Mapping[int, list[np.ndarray]]
"""Outlines by label, (N, 2) [row, column] each, in pixels."""


@dataclass(frozen=True)
class LaxImage:
    """A long-axis image, a stack of one slice and one frame, and what is known on it.

    labels: (H, W) the truth, if it is known. points: by label, (N, 3) LPS mm on its boundary.
    """

    stack: Stack
    labels: np.ndarray | None = None
    points: Mapping[int, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """One plane through the heart, (H, W) pixels of ``spacing`` (x, y) mm, apex up.

    name: the view's, "other" for a real image that is neither of 2ch, 3ch and 4ch. images, labels: by method,
    grey in [0, 1] and uint8. outlines: of the last method's labels. real: the LAX image there, if there is
    one. truth, points: outlines and boundary points on it, in pixels.
    """

    name: str
    spacing: tuple[float, float]
    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    outlines: Lines
    real: np.ndarray | None
    truth: Lines
    points: dict[int, np.ndarray]


def cut_views(results: Mapping[str, Reconstruction], lax: Sequence[LaxImage] = ()) -> list[Cut]:
    """The first frame of every method's reconstruction on the views 2ch, 3ch and 4ch and other LAX images.

    The planes are those of the images where such are given, and else follow from the last method's labels.
    Raises InputError where these show no long axis and there are no images.
    """
    last = list(results.values())[-1]
    heart = last.labels[0] != BACKGROUND
    images = [item.stack for item in lax]
    try:
        views = long_axis_views(long_axis(last.labels[0], last.grid), images, heart, last.grid)
    except InputError:
        if not lax:
            raise
        views = [View(None, image.plane(0), image) for image in images]
    return [_cut(results, view, _image_of(view, lax)) for view in views]


def _image_of(view: View, lax: Sequence[LaxImage]) -> LaxImage | None:
    return next((item for item in lax if item.stack is view.lax), None)


def _cut(results: Mapping[str, Reconstruction], view: View, lax: LaxImage | None) -> Cut:
    plane, last = view.plane, list(results.values())[-1]
    points = plane.points()
    real, truth, dots = None, {}, {}
    if lax is not None:
        source = lax.stack.plane(0)
        real = _grey(sample_plane(lax.stack.frames[0, 0], source, plane))
        dots = {label: plane.indices(where) for label, where in lax.points.items()}
        if lax.labels is not None:
            truth = outlines(sample_plane(lax.labels, source, plane, order=0))
    return Cut(
        name=view.name or "other",
        spacing=plane.spacing,
        images={
            method: _grey(result.grid.sample(result.volume[0], points), grey_limits(result.volume[0]))
            for method, result in results.items()
        },
        labels={
            method: result.grid.sample(result.labels[0], points, order=0)
            for method, result in results.items()
        },
        outlines=outlines_on_plane(last.labels[0], last.grid, plane),
        real=real,
        truth=truth,
        points=dots,
    )


def _grey(image: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """``image`` with black and white at ``limits``, by default its own."""
    low, high = limits or grey_limits(image)
    return np.clip((image - low) / (high - low), 0, 1)
