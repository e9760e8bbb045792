"""One examination with real long-axis (LAX) images: chosen frames, reconstructed by every method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Plane
from ..core.progress import Progress
from ..core.stack import Stack, nearest_in_time
from ..model.inference import Model
from ..reconstruction.frames import choose_frames, cycle_volumes
from ..reconstruction.output_grid import straighten
from ..reconstruction.result import Reconstruction
from ..reconstruction.stack_labels import label_stack, straighten_labels
from .compared_cuts import Cut, LaxImage, cut_views
from .contours import Contours
from .methods import Comparison, reconstructions_on


@dataclass(frozen=True)
class RealExamination:
    """What was acquired and drawn of one patient.

    stack: the cine. lax: long-axis images, one slice each. labels: (T or 1, S, H, W) an expert's, or None to
    segment. contours: contour points, a frame each.
    """

    stack: Stack
    lax: tuple[Stack, ...] = ()
    labels: np.ndarray | None = None
    contours: tuple[Contours, ...] = ()


@dataclass(frozen=True)
class ExaminedFrame:
    """One frame, reconstructed by every method.

    frame: counted from 0. phase: "ED", "ES" or "". stack, labels: the slices of this frame alone, and their
    labels (S, H, W). points: a slice each, contour points (N, 3) LPS mm by label. lax: the long-axis images
    at this time.
    """

    frame: int
    phase: str
    stack: Stack
    labels: np.ndarray
    results: dict[str, Reconstruction]
    points: list[dict[int, np.ndarray]]
    lax: tuple[LaxImage, ...]

    @property
    def name(self) -> str:
        """ "frame 7 (ES)"."""
        return f"frame {self.frame}" + (f" ({self.phase})" if self.phase else "")

    def cuts(self) -> list[Cut]:
        """The reconstructions on the long-axis planes. InputError where the labels show no long axis."""
        return cut_views(self.results, self.lax)


def examine(
    examination: RealExamination,
    frames: Sequence[str | int],
    model: Model | None,
    comparison: Comparison,
    progress: Progress,
) -> list[ExaminedFrame]:
    """Reconstruct the given frames, "ed", "es" or indices from 0, by every method of ``comparison``.

    Without expert labels the segmenter labels the acquired slices, for all methods alike. progress: told the
    stages "segment" and "evaluate", of frames. Raises InputError where the stack shows no heart or has no
    such frame.
    """
    stack, displaced = straighten(examination.stack)
    labels = examination.labels
    if labels is not None and displaced > 0:
        labels = straighten_labels(labels, examination.stack, stack)
    chosen, by_frame = _label(stack, labels, frames, model, progress)
    contours = {item.frame: item for item in examination.contours}
    planes = [stack.plane(index) for index in range(len(stack.origins))]
    out = []
    for number, (frame, phase) in enumerate(chosen.items()):
        one, drawn = stack.select(frames=[frame]), contours.get(frame)
        results = dict(reconstructions_on(one, by_frame[frame], model, comparison))
        points = _points(drawn, "SAX", planes)
        lax = _lax_images(examination.lax, stack, frame, drawn)
        out.append(ExaminedFrame(frame, phase, one, by_frame[frame], results, points, lax))
        progress("evaluate", number + 1, len(chosen))
    return out


def _points(contours: Contours | None, view: str, planes: Sequence[Plane]) -> list[dict[int, np.ndarray]]:
    return contours.on_planes(view, planes) if contours else [{} for _ in planes]


def _lax_images(
    lax: Sequence[Stack], stack: Stack, frame: int, contours: Contours | None
) -> tuple[LaxImage, ...]:
    """The images of the cines ``lax`` at ``frame`` of ``stack``, with the points drawn there."""
    points = _points(contours, "LAX", [item.plane(0) for item in lax])
    return tuple(
        LaxImage(
            replace(item, frames=nearest_in_time(item, stack, frame)[None, None], times=None), points=mine
        )
        for item, mine in zip(lax, points, strict=True)
    )


def _label(
    stack: Stack,
    labels: np.ndarray | None,
    frames: Sequence[str | int],
    model: Model | None,
    progress: Progress,
) -> tuple[dict[int, str], dict[int, np.ndarray]]:
    """The frames meant, each with its phase's name or "", and labels (S, H, W) of at least these."""
    phases = [frame for frame in frames if not isinstance(frame, int)]
    by_frame = label_stack(stack, model, phases[0], labels, progress)[1] if phases else {}
    cycle = cycle_volumes(stack, by_frame)
    chosen: dict[int, str] = {}
    for frame in frames:
        if isinstance(frame, int):
            chosen.setdefault(frame, "")
            continue
        (found,) = choose_frames(frame, cycle)
        chosen[found] = "/".join(filter(None, (chosen.get(found), frame.upper())))
    for frame, phase in chosen.items():
        if not phase:  # of the other frames phases were told by, labels need not be as good as can be
            by_frame |= label_stack(stack, model, frame, labels, progress)[1]
    return chosen, by_frame


def check_contours(contours: Sequence[Contours], frames: int) -> None:
    """Raise InputError unless every file is of another frame, and of one that the cine has."""
    numbers = [item.frame for item in contours]
    if len(set(numbers)) < len(numbers):
        raise InputError("Two contour files are of the same time frame; give one file a frame.")
    if numbers and max(numbers) >= frames:
        raise InputError(
            f"A contour file is of time frame {max(numbers)}, but the cine's frames are 0 to {frames - 1}."
        )
