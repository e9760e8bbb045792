"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...core.frame_times import nearest_frame
from ...core.geometry import Grid
from ...core.stack import Stack
from ..record import RunRecord


@dataclass(frozen=True)
class ReportData:
    """One reconstruction, the stack it was made from and the record of how.

    volume: (T, Z, Y, X) float32, intensities of the reconstruction. labels: the same shape.
    grid: where each frame of both lies.
    stack: the T frames reconstructed, as acquired. stack_labels: (T, S, H, W).
    acquired: (Z,) the index of the acquired slice that lies at each z, None where the slice was generated.
    lax: real long-axis images, one slice each, with any number of frames.
    record: of the run; what is null there is not shown.
    """

    volume: np.ndarray
    labels: np.ndarray
    grid: Grid
    stack: Stack
    stack_labels: np.ndarray
    acquired: tuple[int | None, ...]
    record: RunRecord
    lax: tuple[Stack, ...] = ()

    @cached_property
    def label_stack(self) -> Stack:
        """The labels of the acquired slices, in the slices' own places."""
        return replace(self.stack, frames=self.stack_labels)

    @property
    def phases(self) -> dict[str, int]:
        """The frames to show, by title: end-diastole and end-systole where known, else the first."""
        known = {"End-diastole": self.record.ed, "End-systole": self.record.es}
        phases = {title: frame for title, frame in known.items() if frame is not None}
        return phases if len(set(phases.values())) == len(phases) > 0 else {"": 0}

    @property
    def shown(self) -> int:
        """The frame that is shown first."""
        return next(iter(self.phases.values()))

    @property
    def guessed_slices(self) -> int:
        """How many extrapolated slices show the heart in the frame that is shown first."""
        return int(self.labels[self.shown][self.record.geometry.extrapolated].any((1, 2)).sum())

    def lax_frame(self, lax: Stack, frame: int) -> np.ndarray:
        """(H, W) the image of ``lax`` nearest in time to reconstructed ``frame``: by trigger time where both
        know it, else by the frame's place in the whole cine, of which only some may have been reconstructed.
        """
        times, record = self.stack.times, self.record
        fraction = record.frames[frame] / record.input.frames
        time = None if times is None else float(times[frame])
        image: np.ndarray = lax.frames[nearest_frame(len(lax.frames), lax.times, time, fraction), 0]
        return image
