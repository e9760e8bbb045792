"""The ventricles of a reconstruction end at their valve planes, which move smoothly over the beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.labels import BACKGROUND, LVC, LVM, RVC
from .valve_plane import ValvePlane


def end_at_valve_planes(
    labels: np.ndarray,
    positions: np.ndarray,
    left: ValvePlane | None,
    right: ValvePlane | None,
    frames: Sequence[int],
) -> None:
    """Cut or prolong the ventricles in labels (T, Z, H, W), in place.

    Beyond its plane a ventricle is taken away. Where it ends before the plane it goes on with the outlines it
    ends with, where there is nothing else: toward the base it keeps its shape.

    positions: (Z,) mm of the slices along the stack's normal. left, right: the planes, None where a ventricle
    stays as it is. frames: (T,) of the cycle, which labels are of.
    """
    ventricles = ((left, LVC, (LVC, LVM)), (right, RVC, (RVC,)))
    for item, frame in zip(labels, frames, strict=True):
        for plane, cavity, members in ventricles:
            if plane is not None:
                _end(item, positions, plane, frame, cavity, members)


def _end(
    labels: np.ndarray,
    positions: np.ndarray,
    plane: ValvePlane,
    frame: int,
    cavity: int,
    members: tuple[int, ...],
) -> None:
    """One ventricle in labels (Z, H, W): its ``cavity``, and all ``members`` that end with it."""
    at = plane.positions[frame]
    within = positions <= at if plane.upward else positions >= at
    for z in np.flatnonzero(~within):
        labels[z][np.isin(labels[z], members)] = BACKGROUND
    shown = np.flatnonzero((labels == cavity).any((1, 2)))
    if not len(shown):
        return
    last = shown[-1] if plane.upward else shown[0]
    beyond = np.arange(last + 1, len(labels)) if plane.upward else np.arange(last)
    ending = np.isin(labels[last], members)
    for z in beyond[within[beyond]]:
        labels[z][np.isin(labels[z], members)] = BACKGROUND
        room = ending & (labels[z] == BACKGROUND)
        labels[z][room] = labels[last][room]
