"""Labels of the acquired slices, the network's or an expert's."""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..core.geometry import sample_plane
from ..core.labels import LVC
from ..core.progress import Progress
from ..core.stack import Stack
from ..model.inference import Model
from .blank_images import complete_frames, leave_out_blank_slices
from .frames import choose_frames, cycle_volumes, phases
from .heart_window import SMALLEST_LV_ML, Window, find_heart, window_about
from .segmentation import VIEWS, segment_frames

QUICK_VIEWS, CINE_VIEWS = 1, 2
"""Enough to tell the heart's phases apart by, and for frames that lie between others; see
``segmentation.VIEWS``.
"""


def segment_stack(
    stack: Stack, model: Model, frames: list[int], progress: Progress
) -> tuple[Window, dict[int, np.ndarray]]:
    """The heart's window and the labels (S, H, W) of the given frames of a stack.

    Raises InputError if no heart is in view.
    """
    segmenter = _StackSegmenter(stack, model, frames[0], len(frames), len(frames) * VIEWS, progress)
    labels = segmenter.labels(frames)
    _check_heart(labels)
    return segmenter.window, labels


def segment_phases(
    stack: Stack, model: Model, frames: list[int], progress: Progress, views: int = QUICK_VIEWS
) -> tuple[Window, dict[int, np.ndarray]]:
    """The heart's window and the labels of the given frames of a cine, most carefully those of ED and ES.

    Every frame is labelled by so many ``views``; then the one with the largest LV cavity and the one with the
    smallest are labelled as well as can be, until they remain these. Raises InputError if no heart is in
    view.
    """
    count = len(frames)
    segmenter = _StackSegmenter(stack, model, frames[0], count, count * views + 2 * VIEWS, progress)
    labels = segmenter.labels(frames, views)
    _check_heart(labels)
    settled: set[int] = set()
    while contested := set(phases(_reliable(cycle_volumes(stack, labels)))) - settled:
        labels |= segmenter.labels(sorted(contested))
        settled |= contested
    segmenter.end()
    return segmenter.window, labels


class _StackSegmenter:
    """Labels frames of a stack in the heart's window, found in the frame ``first``.

    frames, views: of how many frames progress is told, in slices, and by how many views of frames it ends.
    """

    def __init__(self, stack: Stack, model: Model, first: int, frames: int, views: int, progress: Progress):
        self._stack, self._model, self._progress = stack, model, progress
        self._native = [stack.plane(index) for index in range(len(stack.origins))]
        self._total, self._work = frames * len(self._native), views * len(self._native)
        self._done = 0
        self.window = find_heart(model, stack.frames[first], self._native)

    def labels(self, frames: list[int], views: int = VIEWS) -> dict[int, np.ndarray]:
        """Labels (S, H, W) by frame; as many frames at a time as fit in a batch."""

        def told(slices: int) -> None:
            self._done = min(self._done + slices * views, self._work)
            self._progress("segment", self._total * self._done // self._work, self._total)

        together = max(1, self._model.batch // len(self._native))
        out: dict[int, np.ndarray] = {}
        for start in range(0, len(frames), together):
            some = frames[start : start + together]
            found = segment_frames(
                self._model, self._stack.frames[some], self._native, self.window, views, told
            )
            out |= dict(zip(some, found, strict=True))
        return out

    def end(self) -> None:
        """Tell the end of progress, if it has not been reached."""
        if self._done < self._work:
            self._progress("segment", self._total, self._total)


def _check_heart(labels: dict[int, np.ndarray]) -> None:
    if not any((item == LVC).any() for item in labels.values()):
        raise InputError("No left ventricle was found in the image: it must be a short-axis stack.")


def _reliable(cycle: tuple[float | None, ...]) -> list[float | None]:
    """Volumes in ml without those too small for a left ventricle, unless all are."""
    out = [None if value is None or value < SMALLEST_LV_ML else value for value in cycle]
    return list(cycle) if out.count(None) == len(out) else out


def _with_heart(stack: Stack, labels: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The frames in which the segmenter found a left ventricle."""
    volumes = _reliable(cycle_volumes(stack, labels))
    return {t: item for t, item in labels.items() if volumes[t] is not None}


def label_stack(
    stack: Stack,
    model: Model | None,
    frame: str | int,
    labels: np.ndarray | None,
    progress: Progress,
    complete: list[int] | None = None,
) -> tuple[Window | None, dict[int, np.ndarray]]:
    """The window and the labels by frame, of the frames that are needed to choose from and to reconstruct.

    frame: as in the pipeline's options. labels: (T or 1, S, H, W) uint8, an expert's, or None to segment.
    complete: frames that have an image in every slice, None for all; others are left out, and refused if one
    is chosen. So are frames in which no left ventricle is found. The window is None without a model. Raises
    ValueError where there is neither model nor labels.
    """
    count = len(stack.frames)
    complete = list(range(count)) if complete is None else complete
    if isinstance(frame, int) and not 0 <= frame < count:
        raise InputError(f"There is no frame {frame}; frames are counted from 0 to {count - 1}.")
    if isinstance(frame, int) and frame not in complete:
        raise InputError(f"Frame {frame} is blank in some of its slices; choose another one with --frame.")
    needed = [frame] if isinstance(frame, int) else complete
    if labels is None:
        if model is None:
            raise ValueError("Without a model the labels must be given.")
        if isinstance(frame, int) or len(complete) <= 2:
            window, found = segment_stack(stack, model, needed, progress)
        else:
            views = CINE_VIEWS if frame == "all" else QUICK_VIEWS
            window, found = segment_phases(stack, model, needed, progress, views)
        return window, _with_heart(stack, found)
    if len(labels) < count and len(needed) > 1:
        raise InputError("The labels are of one frame only; say which with --frame.")
    drawn = [t for t in needed if labels[t if len(labels) == count else 0].any()]
    if not drawn:
        raise InputError("The labels show no heart in the chosen frame; choose another one with --frame.")
    if frame == "all" and len(drawn) < len(complete):
        raise InputError(
            f"Only {len(drawn)} of the {len(complete)} frames have labels; choose one of these with --frame."
        )
    # Experts often draw end-diastole and end-systole only: a frame left empty is no heart without blood.
    by_frame = {t: labels[t if len(labels) == count else 0] for t in drawn}
    if model is None:
        return None, by_frame
    native = [stack.plane(index) for index in range(len(stack.origins))]
    window = window_about(model, stack.frames[drawn[0]], native, native, by_frame[drawn[0]] > 0)
    return window, by_frame


def label_slices(
    stack: Stack, model: Model, frame: str | int, progress: Progress
) -> tuple[np.ndarray, list[str]]:
    """Labels (T, S, H, W) uint8 of the slices of ``stack`` in the frames that ``frame`` means, as in the
    pipeline's options, empty in others and where an image is blank; and sentences on these.

    Raises InputError if no heart is in view, or the frame chosen is blank.
    """
    shown, _, blank_slices = leave_out_blank_slices(stack, None)
    complete, blank_frames = complete_frames(shown)
    if frame == "all":
        _, by_frame = segment_stack(shown, model, complete, progress)
        chosen = complete
    else:
        _, by_frame = label_stack(shown, model, frame, None, progress, complete)
        chosen = choose_frames(frame, cycle_volumes(shown, by_frame))
    labels = np.zeros(stack.frames.shape, np.uint8)
    kept = np.isin(stack.positions, (shown.origins - stack.origins[0]) @ stack.normal)
    for index in chosen:
        labels[index, kept] = by_frame[index]
    return labels, [*blank_slices, *blank_frames]


def straighten_labels(labels: np.ndarray, acquired: Stack, straight: Stack) -> np.ndarray:
    """Labels (T, S, H, W) of the ``acquired`` slices, on the ``straight`` ones."""
    out = np.empty_like(labels)
    for index in range(len(acquired.origins)):
        source, target = acquired.plane(index), straight.plane(index)
        out[:, index] = sample_plane(labels[:, index], source, target, order=0)
    return out
