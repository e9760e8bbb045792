"""The one form in which every method is called, DMCVR and baselines alike: a new method is a file.

    method(stack, labels, layout, progress) -> Synthesis

stack: straight, the F frames to be filled. labels: (F, S, H, W) uint8 of its slices. layout: which slices are
wanted. progress: ``progress(stage, done, total)``. At an acquired position the acquired slice and its labels
come back unchanged, unless the method was asked to generate these as well; a method that draws the heart as
one surface gives its labels there, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..core.layout import Layout
from ..core.progress import Progress
from ..core.stack import Stack

Interpolate = Callable[
    [np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[float, float]], tuple[np.ndarray, np.ndarray]
]
"""What a method of single frames is made of: ``interpolate(frame, labels, positions, wanted, spacing)``.

frame: (S, H, W) float32 intensities, every slice in one in-plane frame. labels: (S, H, W) uint8.
positions: (S,) mm, increasing, gaps may differ. wanted: (Z,) mm, from the first position to the last.
spacing: in-plane (x, y) mm. Returns images (Z, H, W) float32 and labels (Z, H, W) uint8. At an acquired
position the acquired slice and its labels come back unchanged. ValueError: a wanted position beyond the ends.
"""


@dataclass(frozen=True)
class Synthesis:
    """F full volumes: volume (F, Z, Y, X) float32, the stack's intensities; labels, the same shape, uint8;
    uncertainty, the same shape, float32, or None, as in `Reconstruction`.
    """

    volume: np.ndarray
    labels: np.ndarray
    uncertainty: np.ndarray | None = None


class Method(Protocol):
    """See the module."""

    def extended(self, stack: Stack, labels: np.ndarray, layout: Layout) -> Layout:
        """The ``layout`` with the slices beyond the stack that the method draws as well."""
        ...

    def __call__(
        self, stack: Stack, labels: np.ndarray, layout: Layout, progress: Progress, /
    ) -> Synthesis: ...


@dataclass(frozen=True)
class FrameByFrame:
    """The method that interpolates one frame after the other, and draws nothing beyond the stack."""

    interpolate: Interpolate

    def extended(self, stack: Stack, labels: np.ndarray, layout: Layout) -> Layout:
        """The ``layout`` as it is."""
        return layout

    def __call__(self, stack: Stack, labels: np.ndarray, layout: Layout, progress: Progress, /) -> Synthesis:
        """Interpolate every frame."""
        shape = (len(stack.frames), *layout.grid.shape)
        volume, out = np.empty(shape, np.float32), np.empty(shape, np.uint8)
        for index, (image, drawn) in enumerate(zip(stack.frames, labels, strict=True)):
            volume[index], out[index] = self.interpolate(
                image, drawn, stack.positions, layout.wanted, stack.spacing
            )
            progress("generate", index + 1, len(volume))
        return Synthesis(volume, out)
