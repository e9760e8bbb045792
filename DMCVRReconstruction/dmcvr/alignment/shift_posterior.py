"""The most probable displacements of slices and long-axis (LAX) images, given how well they agree on lines.

The logarithm of the posterior is the sum over all lines of the log likelihood of the offsets there, and of
normal priors of the slices' shifts and the LAX images' displacements. Moving everything alike changes no
offset, so the mean shift is free; it is set to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from .crossings import ABOVE_MM, REACH_MM, STEP_MM, Crossing

INDEPENDENT_MM = 4.0
"""Samples on a line count as independent of each other from this distance on."""
NOISE_SHARE = 0.1
"""What two profiles of the same tissue never share of their variance."""
FIRST_SD_MM = 2.5
LEAST_SD_MM = 0.2
VIEW_SD_MM = 2.0
SD_ROUNDS = 3
STEPS_MM = (2.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.12)
"""Of the search, from coarse to fine."""
CURVATURE_MM = 0.5
OVERCONFIDENCE = 1.3
"""By which errors are larger than the curvature of the posterior tells, on simulated examinations."""


@dataclass(frozen=True)
class Line:
    """As a `Crossing`, with the log likelihood (B, A, U) of its offsets."""

    index: int
    view: int
    of_slice: np.ndarray
    of_view: np.ndarray
    likelihood: np.ndarray

    @classmethod
    def of(cls, crossing: Crossing, halves: Sequence[int] = (0, 1)) -> Line:
        """``halves``: those of the crossing's evidence that count."""
        evidence = [crossing.halves[half] for half in halves]
        agreement = np.maximum(sum(evidence[1:], evidence[0]).correlation(), 0)
        samples = crossing.length / INDEPENDENT_MM * len(evidence) / len(crossing.halves)
        likelihood = -samples / 2 * np.log(1 - (1 - NOISE_SHARE) * agreement**2)
        return cls(crossing.index, crossing.view, crossing.of_slice, crossing.of_view, likelihood)

    def at(self, offsets: np.ndarray) -> np.ndarray:
        """Log likelihood of offsets (..., 3) mm; beyond what was looked at that of the border."""
        lowest = np.array([-REACH_MM, -REACH_MM, ABOVE_MM[0]])
        where = (offsets - lowest) / [STEP_MM, STEP_MM, ABOVE_MM[1] - ABOVE_MM[0]]
        return ndimage.map_coordinates(self.likelihood, np.moveaxis(where, -1, 0), order=1, mode="nearest")


@dataclass(frozen=True)
class Displacements:
    """slices: (S, 2) mm along the stack's x and y. views: (V, 3) LPS mm, of the LAX images."""

    slices: np.ndarray
    views: np.ndarray


def offsets(line: Line, found: Displacements) -> np.ndarray:
    """(1, 3) mm of a line."""
    return (found.slices[line.index] @ line.of_slice + found.views[line.view] @ line.of_view)[None]


def likelihood(lines: Sequence[Line], found: Displacements) -> float:
    """Log likelihood of all lines together."""
    return float(sum(line.at(offsets(line, found))[0] for line in lines))


@dataclass(frozen=True)
class Posterior:
    """Of the displacements of S slices and V views. axes: (2, 3) unit vectors of the stack's x and y. moving:
    whether slices are displaced at all; else only the LAX images are.
    """

    lines: tuple[Line, ...]
    slices: int
    views: int
    axes: np.ndarray
    moving: bool = True

    def best(self) -> tuple[Displacements, np.ndarray]:
        """The most probable displacements, and the standard deviation (S,) mm of each slice's in a direction;
        nan for slices without a line, which have no shift. The prior's standard deviation follows from the
        slices' shifts themselves.
        """
        sd = FIRST_SD_MM
        for _ in range(SD_ROUNDS if self.moving else 1):
            found = self._search(sd)
            errors = self._errors(found, sd)
            crossed = ~np.isnan(errors)
            spread = (found.slices[crossed] ** 2).mean() + (errors[crossed] ** 2).mean()
            sd = float(np.clip(np.sqrt(spread), LEAST_SD_MM, FIRST_SD_MM))
        return found, errors

    def _search(self, sd: float) -> Displacements:
        """Slices and views in turn, each to the best of many candidates."""
        found = Displacements(np.zeros((self.slices, 2)), np.zeros((self.views, 3)))
        everywhere = _lattice(np.arange(-REACH_MM, REACH_MM + 1), 2)
        crossed = sorted({line.index for line in self.lines})
        for number, step in enumerate((STEPS_MM[0], *STEPS_MM)):
            near = np.arange(-2, 3) * step
            for index in crossed if self.moving else ():
                candidates = found.slices[index] + _lattice(near, 2) if number else everywhere
                found.slices[index] = candidates[self._of_slice(index, candidates, found, sd).argmax()]
            for view in {line.view for line in self.lines}:
                candidates = found.views[view] + _lattice(near / (1 if number else 2), 3)
                found.views[view] = candidates[self._of_view(view, candidates, found).argmax()]
            if self.moving:
                mean = found.slices[crossed].mean(0)
                found.slices[crossed] -= mean
                found.views[:] -= mean @ self.axes
        return found

    def _of_slice(self, index: int, candidates: np.ndarray, found: Displacements, sd: float) -> np.ndarray:
        """(N,) log posterior of shifts (N, 2) of one slice, all else being as ``found``."""
        out = -(candidates**2).sum(-1) / (2 * sd**2)
        for line in self.lines:
            if line.index == index:
                out += line.at(candidates @ line.of_slice + found.views[line.view] @ line.of_view)
        return out

    def _of_view(self, view: int, candidates: np.ndarray, found: Displacements) -> np.ndarray:
        """(N,) log posterior of displacements (N, 3) of one LAX image, all else being as ``found``."""
        out = -(candidates**2).sum(-1) / (2 * VIEW_SD_MM**2)
        for line in self.lines:
            if line.view == view:
                out += line.at(found.slices[line.index] @ line.of_slice + candidates @ line.of_view)
        return out

    def _errors(self, found: Displacements, sd: float) -> np.ndarray:
        """(S,) mm, from the curvature of the log posterior about ``found``; nan without a line."""
        out, h = np.full(self.slices, np.nan), CURVATURE_MM
        around = np.array([[0, 0], [h, 0], [-h, 0], [0, h], [0, -h], [h, h], [-h, -h], [h, -h], [-h, h]])
        for index in {line.index for line in self.lines}:
            p = self._of_slice(index, found.slices[index] + around, found, sd)
            xx, yy = p[1] + p[2] - 2 * p[0], p[3] + p[4] - 2 * p[0]
            xy = (p[5] + p[6] - p[7] - p[8]) / 4
            precision = -np.array([[xx, xy], [xy, yy]]) / h**2
            # Never less certain than the prior, which a kink of the likelihood may seem to say.
            values = np.maximum(np.linalg.eigvalsh(precision), 1 / sd**2)
            out[index] = OVERCONFIDENCE * np.sqrt((1 / values).mean())
        return out


def _lattice(steps: np.ndarray, dimensions: int) -> np.ndarray:
    """(N, dimensions), every combination of ``steps``."""
    return np.array(list(product(steps, repeat=dimensions)), float)
