"""What a reconstruction gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..alignment.shifts import SliceShifts
from ..anatomy.function import ejection_fraction, find_ed_es, stack_volumes_ml, volumes_ml
from ..core.geometry import Grid
from ..core.positions import SAME_MM
from ..core.stack import Stack


@dataclass(frozen=True)
class Reconstruction:
    """A heart in 3D, over time if more than one frame was asked for.

    volume: (T, Z, Y, X) float32, the stack's intensities. labels: the same shape, uint8. grid: where both
        lie.
    uncertainty: (T, Z, Y, X) float32, standard deviation of the intensity over samples; 0 in acquired slices
        and outside the heart's window; beyond the stack as of `beyond_stack`. None if no samples were asked
        for.
    acquired: (Z,) index of the acquired slice at each z, None where the slice was generated.
    stack, stack_labels: the T frames as acquired, put in register, and their labels (T, S, H, W).
    shifts: by which the slices were put in register.
    frames: (T,) which frames of the input they are.
    cycle_ml: LVC volume in every frame of the input that was segmented, None in the others: by disc
        summation, up to the valve plane where labels were fitted over the whole beat. Where only end-diastole
        or end-systole was asked for, other frames were segmented less carefully.
    cycle_rv_ml: RVC volume in the same frames, None where no RV was found as well.
    cycle_fitted: whether labels were fitted.
    left_out: frames of the input that show no heart, or are blank in some of their slices.
    both_phases: whether end-diastole and end-systole were asked for; an expert often labels these two only.
    seconds: per stage. warnings: plain sentences.
    """

    volume: np.ndarray
    labels: np.ndarray
    uncertainty: np.ndarray | None
    grid: Grid
    acquired: tuple[int | None, ...]
    stack: Stack
    stack_labels: np.ndarray
    shifts: SliceShifts
    frames: tuple[int, ...]
    cycle_ml: tuple[float | None, ...]
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    cycle_rv_ml: tuple[float | None, ...] = ()
    cycle_fitted: bool = False
    left_out: tuple[int, ...] = ()
    both_phases: bool = False

    @property
    def phases(self) -> tuple[int, int] | None:
        """The input's frames of end-diastole and end-systole, by ``cycle_ml``. None unless every frame of a
        cine is known, but for those left out; where both phases were asked for, two known frames will do.
        """
        known = {t: value for t, value in enumerate(self.cycle_ml) if value is not None}
        enough = self.both_phases or len(known.keys() | {*self.left_out}) == len(self.cycle_ml)
        if len(known) < 2 or not enough:
            return None
        ed, es = find_ed_es(list(known.values()))
        return list(known)[ed], list(known)[es]

    @property
    def extrapolated(self) -> tuple[bool, ...]:
        """(Z,) whether a slice lies further beyond the acquired ones than the half gap for which an end slice
        stands: what it shows is a guess.
        """
        z = np.arange(self.grid.shape[0])[:, None] * self.grid.step_z
        at = (self.grid.origin + z - self.stack.origins[0]) @ self.stack.normal
        positions, gaps = self.stack.positions, self.stack.gaps
        low, high = positions[0] - gaps[0] / 2, positions[-1] + gaps[-1] / 2
        return tuple(bool(place) for place in (at < low - SAME_MM) | (at > high + SAME_MM))

    @property
    def volumes(self) -> list[dict[str, float]]:
        """Volume in ml of each structure in each of the T frames, from the reconstruction."""
        return [volumes_ml(labels, self.grid.voxel_ml) for labels in self.labels]

    @property
    def stack_volumes(self) -> list[dict[str, float]]:
        """The same from the acquired slices by disc summation."""
        area = float(np.prod(self.stack.spacing))
        return [stack_volumes_ml(labels, self.stack.positions, area) for labels in self.stack_labels]

    @property
    def ejection_fraction(self) -> float | None:
        """In %, by the largest and smallest LV cavity; None unless end-diastole and end-systole are known and
        were reconstructed.
        """
        if self.phases is None or len(self.frames) < 2 or not {*self.phases} <= {*self.frames}:
            return None
        lvc = [volumes["LVC"] for volumes in self.volumes]
        return ejection_fraction(max(lvc), min(lvc))
