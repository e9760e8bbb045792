"""Table 1 of the paper: what is left of a slice after inversion and regeneration, by segmenting it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..generation import GenerationOptions, Slices, generate_slices
from ..model import Model
from ..morphology import REACH_MM
from ..segmentation import Window, tidy, window_about
from ..shape import nested_distances
from ..training.data import resample_labels
from .cases import Case
from .metrics import is_missing, psnr, ssim, structures
from .scores import mask_scores
from .summary import Column, Row, Table, by_structure

IMAGES = ("original", "diffae", "dmcvr")
COLUMNS = (
    Column("Dice"),
    Column("VOE %", 2),
    Column("ASD mm", 3),
    Column("HD mm", 2),
    Column("ASSD mm", 3),
    Column("ASSD mm (mean of means)", 3),
    Column("PSNR dB", 2),
    Column("SSIM"),
)
NOTES = (
    "Every acquired slice is inverted and regenerated at its own place by the paper's rule, then labelled by "
    "the model's segmenter; scores are in 3D, a stack at a time, within the model's field of view about the "
    "heart. PSNR and SSIM are per slice and stand in the lines of all labels.",
    "The morphology code is the segmenter's, of the original slice; experts' labels only judge and centre "
    "the field of view.",
)


def generation_tables(
    cases: Iterable[Case],
    model: Model,
    methods: tuple[str, ...] = IMAGES,
    steps: int | None = None,
    done: Callable[[], None] = lambda: None,
) -> list[Table]:
    """Scores of ``methods``, any of IMAGES, by structure. steps: network calls each way.

    done: called after each case.
    """
    rows = []
    for case in cases:
        native = [case.stack.plane(index) for index in range(len(case.labels))]
        window = window_about(model, case.stack.frames[0], native, native, case.labels > 0)
        true = np.stack(
            [resample_labels(*item) for item in zip(case.labels, native, window.planes, strict=True)]
        )
        images = window.images(case.stack.frames[0], native)
        spacing = (window.spacing, window.spacing, case.spacing[2])
        for method in methods:
            made = images if method == "original" else regenerate(model, images, window, case, method, steps)
            found = label_slices(model, made)
            quality = {} if method == "original" else _quality(made, images)
            masks, real = structures(found), structures(true)
            for name in masks:
                values = mask_scores(masks[name], real[name], spacing) | (quality if name == "all" else {})
                empty = int(is_missing(masks[name], real[name]))
                rows.append(Row(case.name, (name, method), values, empty))
        done()
    return [Table("2D generation", ("structure", "images"), COLUMNS, by_structure(rows), NOTES)]


def label_slices(model: Model, images: np.ndarray) -> np.ndarray:
    """The segmenter's labels (S, size, size) of a stack's window images in [0, 1], tidied."""
    return tidy(model.segment(images)[0].argmax(1).cpu().numpy())


def regenerate(
    model: Model, images: np.ndarray, window: Window, case: Case, method: str, steps: int | None
) -> np.ndarray:
    """Window images (S, size, size) in [0, 1] after full inversion and full generation of each slice."""
    positions = case.stack.positions
    labels = label_slices(model, images)
    maps = nested_distances(labels, (window.spacing, window.spacing), REACH_MM)

    def distances(wanted: np.ndarray) -> np.ndarray:
        return maps[np.searchsorted(positions, wanted)]

    options = GenerationOptions(steps=steps, rule="paper", morphology=method == "dmcvr")
    return generate_slices(model, Slices(images, positions, window.spacing), positions, distances, options)


def _quality(made: np.ndarray, images: np.ndarray) -> dict[str, float]:
    pairs = list(zip(made, images, strict=True))
    return {
        "PSNR dB": float(np.mean([psnr(image, true) for image, true in pairs])),
        "SSIM": float(np.mean([ssim(image, true) for image, true in pairs])),
    }
