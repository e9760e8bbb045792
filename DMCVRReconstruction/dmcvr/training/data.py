"""From folders of labelled stacks to arrays read once and mapped into memory.

``prepare`` writes one array of images and one of labels, every slice on a square canvas about the middle of
its field of view, so training touches no image file. In eight bits a pixel and with dark borders, what it
wrote also packs into a small archive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Plane, sample_plane, unit
from ..core.intensity import stack_scale
from ..io.labelled import LabelledStack, resample_labels
from .slices import ARRAYS, CANVAS, WHITE, Slices

LISTING = "stacks.json"
"""Names the stacks; written last."""


def canvas_plane(plane: Plane, spacing: float) -> Plane:
    """The square canvas of CANVAS pixels of ``spacing`` mm about the middle of ``plane``, parallel to it."""
    step_x, step_y = unit(plane.step_x) * spacing, unit(plane.step_y) * spacing
    origin = plane.centre - (step_x + step_y) * (CANVAS - 1) / 2
    return Plane(origin, step_x, step_y, (CANVAS, CANVAS))


def prepare(cases: Iterable[LabelledStack], folder: Path, spacing: float | None) -> Slices:
    """Resample the first frame of every case, write the arrays to ``folder`` and map them.

    cases: those without a label are left out. spacing: mm a pixel; None keeps each stack's own.
    """
    rows: dict[str, list] = {name: [] for name in ARRAYS}
    names: list[str] = []
    for name, stack, truth in cases:
        if not truth.any():
            continue
        step = spacing or stack.spacing[0]
        planes = [stack.plane(index) for index in range(len(truth))]
        canvas = [canvas_plane(plane, step) for plane in planes]
        images = np.stack([sample_plane(*item) for item in zip(stack.frames[0], planes, canvas, strict=True)])
        labels = np.stack([resample_labels(*item) for item in zip(truth, planes, canvas, strict=True)])
        centre = np.argwhere(labels > 0)[:, 1:].mean(0)
        scale = stack_scale(images, centre, (step, step))
        rows["images"] += list(np.rint(images / scale * WHITE).clip(0, 255).astype(np.uint8))
        rows["labels"] += list(labels)
        rows["stacks"] += [len(names)] * len(truth)
        rows["centres"] += [centre] * len(truth)
        rows["spacings"] += [step] * len(truth)
        rows["positions"] += list(stack.positions)
        names.append(name)
    if not names:
        raise InputError("No labelled stack was found to train on.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, dtype in ARRAYS.items():
        np.save(folder / f"{name}.npy", np.array(rows[name], dtype))
    # Last, so that a preparation that was killed is not taken for a whole one.
    (folder / LISTING).write_text(json.dumps({"names": names}), encoding="utf-8")
    return load(folder)


def is_prepared(folder: Path) -> bool:
    """Whether ``prepare`` ended in ``folder``."""
    return (Path(folder) / LISTING).is_file()


def load(folder: Path) -> Slices:
    """Map what ``prepare`` wrote. Raises InputError if that is not in ``folder``."""
    folder = Path(folder)
    try:
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in ARRAYS}
        names = json.loads((folder / LISTING).read_text(encoding="utf-8"))["names"]
        return Slices.of(names=tuple(names), **arrays)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("The folder of prepared data is not complete; prepare it again.") from error
