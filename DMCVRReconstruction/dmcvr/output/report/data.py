"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...core.geometry import Grid
from ...core.stack import Stack


@dataclass(frozen=True)
class ReportData:
    """One reconstruction, the stack it was made from and the record of how.

    volume: (T, Z, Y, X) float32, intensities of the reconstruction. labels: the same shape.
    grid: where each frame of both lies.
    stack: the T frames reconstructed, as acquired. stack_labels: (T, S, H, W).
    acquired: (Z,) the index of the acquired slice that lies at each z, None where the slice was generated.
    lax: real long-axis images, one slice each, with any number of frames.
    record: the contents of result.json; what is missing there is not shown. Read are ``versions``,
        ``method``, ``model`` {name, licence, sha256}, ``device``, ``precision``, ``steps``, ``seed``,
        ``seconds`` {stage: s}, ``volumes`` and ``stack_volumes`` (a frame each: {LVC, LVM, RVC} in ml),
        ``ed``, ``es`` (among the T frames), ``warnings`` and ``input`` {sha256}. Nothing else of it is
        shown.
    """

    volume: np.ndarray
    labels: np.ndarray
    grid: Grid
    stack: Stack
    stack_labels: np.ndarray
    acquired: tuple[int | None, ...]
    lax: tuple[Stack, ...] = ()
    record: dict = field(default_factory=dict)

    @cached_property
    def label_stack(self) -> Stack:
        """The labels of the acquired slices, in the slices' own places."""
        return replace(self.stack, frames=self.stack_labels)

    @property
    def phases(self) -> dict[str, int]:
        """The frames to show, by title: end-diastole and end-systole where known, else the first."""
        ed, es = self.record.get("ed"), self.record.get("es")
        if len(self.volume) == 1 or ed is None:
            return {"": 0}
        phases = {"End-diastole": ed}
        return phases if es is None or es == ed else {**phases, "End-systole": es}

    def lax_frame(self, lax: Stack, frame: int) -> np.ndarray:
        """(H, W) the image of ``lax`` nearest in time to reconstructed ``frame``."""
        return nearest_in_time(lax, self.stack, frame)


def nearest_in_time(lax: Stack, stack: Stack, frame: int) -> np.ndarray:
    """(H, W) the image of ``lax``, a stack of one slice, nearest in time to ``frame`` of ``stack``.

    By trigger time where both know it, else by the fraction of the cycle.
    """
    if lax.times is not None and stack.times is not None:
        nearest = int(np.argmin(np.abs(lax.times - stack.times[frame])))
    else:
        nearest = round(frame / len(stack.frames) * len(lax.frames)) % len(lax.frames)
    return lax.frames[nearest, 0]
