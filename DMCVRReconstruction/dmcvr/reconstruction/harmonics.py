"""A beat as few smooth terms over a cycle that closes, without the jumps between its frames."""

from __future__ import annotations

import numpy as np

TERMS = 4
STIFFNESS = 0.03
"""Penalty of a term of k cycles, times k^2 (k^2 - 1): of its curvature, beside that of the beat itself."""


def fourier_basis(count: int, terms: int = TERMS) -> np.ndarray:
    """(T, K) the constant, then cosines and sines of 1, 2, ... cycles, for T = ``count`` frames; no more
    terms than the frames can tell.
    """
    phase = 2 * np.pi * np.arange(count) / count
    columns = [np.ones(count)]
    for term in range(1, min(terms, (count - 1) // 2) + 1):
        columns += [np.cos(term * phase), np.sin(term * phase)]
    return np.stack(columns, 1)


def smooth_over_cycle(
    values: np.ndarray, known: np.ndarray | None = None, course: np.ndarray | None = None
) -> np.ndarray:
    """``values`` (T, ...) fitted by a few Fourier terms of little curvature, in every frame.

    known: (T,) bool, the frames whose values count, all if None. course: (T,), what the values follow where
    they are not known, as the ventricle's emptying; it is a free term beside the others.
    """
    count = len(values)
    basis = fourier_basis(count)
    cycles = (np.arange(basis.shape[1]) + 1) // 2
    penalty = STIFFNESS * count * cycles**2 * (cycles**2 - 1.0)
    if course is not None:
        basis, penalty = np.column_stack([basis, course]), np.append(penalty, 0.0)
    known = np.ones(count, bool) if known is None else known
    used = basis[known]
    matrix = basis @ np.linalg.pinv(used.T @ used + np.diag(penalty)) @ used.T
    flat = values[known].reshape(int(known.sum()), -1)
    smooth: np.ndarray = (matrix @ flat).reshape(values.shape).astype(values.dtype)
    return smooth
