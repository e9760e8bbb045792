"""Where a ventricle ends towards the base, frame by frame: its valve plane, moving smoothly over the beat.

A slice either shows the ventricle or does not, so from one frame to the next a whole slice enters or leaves
it, and with it some 10 to 30 ml. The valve plane itself moves smoothly, towards the apex as the ventricle
empties and back: the more it ejects, the further. Its position along the stack is therefore taken to be

    b(t) = lowest + excursion * v(t)

with v(t), from 0 to 1, the course of the ventricle's area in the slices that always show it. Both numbers are
the most probable ones given which slices show the ventricle in which frames, a slice doing so the more
probably the further the plane lies beyond it, and given how far valve planes move in ventricles that eject as
much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ..core.labels import LVC, RVC
from .harmonics import smooth_over_cycle

MARGIN_MM = 2.0
"""A slice shows the ventricle as often as not when the plane lies this far beyond its middle; so do slices of
biv-me's subject, whose long-axis images tell where the mitral valve is.
"""
SOFTNESS_MM = 4.0
"""With so much more it does in five of six cases: planes are not flat, slices are thick, readers differ."""
EXCURSION_MM = {LVC: 22.0, RVC: 42.0}
"""Of a ventricle that would eject all of its area: 13 and 19 mm at the fractions that healthy ones eject."""
EXCURSION_SD = 0.15
"""Of the excursion that is expected, as a share of it."""
LEAST_SD_MM = 1.0
STEP_MM = 0.25
INDEPENDENT_FRAMES = 8
"""What a cycle's frames say counts as that of so many."""


@dataclass(frozen=True)
class ValvePlane:
    """positions: (T,) mm along the stack's normal, from its first slice. upward: whether the base lies at the
    last slice rather than at the first.
    """

    positions: np.ndarray
    upward: bool

    def height_within(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """(T, S) mm of the slabs from ``low`` to ``high`` (S,) that lie on the ventricle's side of the
        plane."""
        plane = self.positions[:, None]
        reached = plane - low if self.upward else high - plane
        return np.asarray(np.clip(reached, 0, high - low))

    def holds(self, positions: np.ndarray) -> np.ndarray:
        """(T, S) bool, which slices lie on the ventricle's side of the plane."""
        plane = self.positions[:, None]
        return np.asarray(positions <= plane if self.upward else positions >= plane)

    @property
    def course(self) -> np.ndarray:
        """(T,) of the plane's movement, 0 where it is farthest to the apex, 1 where it is farthest from
        it."""
        moved = np.ptp(self.positions)
        low = self.positions.min() if self.upward else self.positions.max()
        return np.abs(self.positions - low) / moved if moved > 0 else np.zeros(len(self.positions))

    def is_beyond(self, position: float) -> np.ndarray:
        """(T,) bool, in which frames the plane lies so far beyond a slice that it does not cut it."""
        return np.asarray(
            (self.positions - position if self.upward else position - self.positions) > SOFTNESS_MM
        )

    def comes_near(self, position: float) -> bool:
        """Whether the plane leaves a slice in some frame, or comes so close that it may."""
        beyond = self.positions - position if self.upward else position - self.positions
        return bool(beyond.min() < 2 * SOFTNESS_MM)


def fit_valve_plane(
    areas: np.ndarray, positions: np.ndarray, cavity: int, *, upward: bool
) -> ValvePlane | None:
    """The plane of a ventricle, or None where the stack does not reach it or too little is shown.

    areas: (T, S) of its cavity in every frame and slice, any unit. positions: (S,) mm, increasing. cavity:
    LVC or RVC. upward: whether the base lies at the last slice.
    """
    if not upward:
        turned = fit_valve_plane(areas[:, ::-1], -positions[::-1], cavity, upward=True)
        return None if turned is None else ValvePlane(-turned.positions, upward=False)
    shown = areas > 0
    always = np.flatnonzero(shown.all(0))
    if not len(always) or shown[:, -1].all():
        return None
    course, ejected = ejection_course(areas[:, always].sum(1))
    basal = np.arange(always[-1], len(positions))
    expected = EXCURSION_MM[cavity] * ejected
    sd = max(EXCURSION_SD * expected, LEAST_SD_MM)
    lowest = np.arange(positions[basal[0]] - 10, positions[-1] + 10, STEP_MM)
    excursions = np.arange(0.0, expected + 3 * sd, STEP_MM)
    plane = lowest[:, None, None] + excursions[:, None] * course
    score = -((excursions - expected) ** 2) / (2 * sd**2) + np.zeros((len(lowest), 1))
    weight = min(1.0, INDEPENDENT_FRAMES / len(areas))
    for index in basal:
        beyond = (plane - positions[index] - MARGIN_MM) / SOFTNESS_MM
        score += weight * special.log_ndtr(np.where(shown[:, index], beyond, -beyond)).sum(-1)
    low, far = np.unravel_index(score.argmax(), score.shape)
    return ValvePlane(plane[low, far], upward=True)


def ejection_course(areas: np.ndarray) -> tuple[np.ndarray, float]:
    """The course of a ventricle from its emptiest, 0, to its fullest, 1, and the share of its area that it
    ejects.

    areas: (T,) over the cycle; noise is smoothed out.
    """
    smooth = smooth_over_cycle(np.asarray(areas, float))
    low, high = smooth.min(), smooth.max()
    if high <= low or high <= 0:
        return np.zeros(len(smooth)), 0.0
    return (smooth - low) / (high - low), float((high - max(low, 0)) / high)
