"""Simulated hearts in axes of their own, as nested signed distances in 3D, made once and mapped into memory.

Stacks of every kind are cut from them in no time (`simulated_stacks`): a distance interpolates well, so the
lattice may be coarse, and cuts and boundaries of a slice are exact to a fraction of its step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..anatomy.signed_distances import STRUCTURES
from ..core.errors import InputError
from ..core.labels import BACKGROUND, LVC, LVM, RVC
from ..simulation.phantom import random_config
from ..simulation.phantom.config import PhantomConfig
from ..simulation.phantom.heart import Heart, classify
from ..simulation.shapemodel.heart_shape import Shape
from ..simulation.shapemodel.hearts import EDV_FACTOR, FIRST_HELD_BACK
from ..simulation.shapemodel.model import ShapeModel, read_shape_model
from ..simulation.shapemodel.sizing import resize, sizes_at

STEP_MM = 2.0
SHAPE = (88, 96, 96)
"""Lattice points along w (apex to base), v and u (towards the RV)."""
UNIT_MM = 1 / 8
"""Distances are stored in eight bits in units of this, up to about 16 mm."""
FINE_MM = 1.5
BLUR_VOXELS = 0.8
MARGIN_MM = 17.0

FIRST_SUBJECT_BACK, SUBJECTS_A_GROUP = 2, 4
"""Of the shape model's real subjects one in four is held back: random hearts to train on know nothing of it.
"""
EDV_ML = (40.0, 400.0)
LARGEST_LVM_ML = LARGEST_RVC_ML = 380.0
LARGE_RV = (0.35, (1.2, 2.0))
"""Share of the hearts whose RV is larger than its left side explains, and by what factors."""
THICK_WALL = (0.2, (1.1, 1.6))
"""The same of the LV's wall."""


@dataclass(frozen=True)
class HeartDistances:
    """distances: (N, 3, Z, Y, X) int8 in units of UNIT_MM, positive inside, of LVC, LVC + LVM and RVC, on
    lattices of SHAPE and STEP_MM about the middle of each heart. names: of the hearts.
    """

    distances: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def prepare_hearts(named: Iterable[tuple[str, Callable[[], np.ndarray]]], output: Path) -> HeartDistances:
    """Make hearts and keep them in ``output``; those that are already there are not made again.

    named: each heart's name, and what gives its labels on `lattice` (FINE_MM), as of `hearts_to_train_on`.
    """
    output.mkdir(parents=True, exist_ok=True)
    names = []
    for name, labels in named:
        path = output / f"{name}.npy"
        if not path.exists():
            beside = output / "heart.writing.npy"
            np.save(beside, distances_of(labels()))
            beside.replace(path)
        names.append(name)
    if not names:
        raise InputError("No hearts were asked for; give --hearts or --phantoms.")
    (output / "hearts.json").write_text(json.dumps({"names": names}), encoding="utf-8")
    return load_hearts(output)


def load_hearts(folder: Path) -> HeartDistances:
    """What `prepare_hearts` wrote. Raises InputError if that is not in ``folder``."""
    try:
        names = json.loads((folder / "hearts.json").read_text(encoding="utf-8"))["names"]
        distances = np.stack([np.load(folder / f"{name}.npy") for name in names])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("The folder of prepared hearts is not complete; prepare it again.") from error
    return HeartDistances(distances, tuple(names))


def hearts_to_train_on(
    folder: Path | None, hearts: int, phantoms: int
) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """``hearts`` of the shape model in ``folder``, if that is given, and ``phantoms``; see `prepare_hearts`.

    Raises InputError where the folder holds no model.
    """
    for seed in range(phantoms):
        yield f"phantom{seed:04d}", partial(phantom_labels, seed)
    if folder is not None:
        model = read_shape_model(folder)
        model = model.leaving_out(held_back_subjects(model))
        for seed in range(hearts):
            yield f"heart{seed:04d}", partial(_heart_labels_of, model, seed)


def held_back_subjects(model: ShapeModel) -> range:
    """Which of the model's subjects, counted from 0, are held back."""
    return range(FIRST_SUBJECT_BACK, len(model.subjects), SUBJECTS_A_GROUP)


def held_back_hearts(folder: Path, count: int) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """The subjects that no training heart is made of, as they are, and ``count`` random hearts of all."""
    model = read_shape_model(folder)
    for index in held_back_subjects(model):
        yield f"subject{index + 1:02d}", partial(_subject_labels, model, index)
    for seed in range(FIRST_HELD_BACK, FIRST_HELD_BACK + count):
        yield f"heart{seed}", partial(_heart_labels_of, model, seed)


def _heart_labels_of(model: ShapeModel, seed: int) -> np.ndarray:
    return heart_labels(random_shape(model, seed))


def _subject_labels(model: ShapeModel, index: int) -> np.ndarray:
    return heart_labels(model.deform(model.subjects[index]))


def random_patient(seed: int) -> tuple[PhantomConfig, float, np.random.Generator]:
    """A patient of any size, the phase of the beat (0-1), and what further randomness comes from: even seeds
    at end-diastole, odd ones near end-systole.
    """
    rng = np.random.default_rng([seed, 12])
    config = random_config(seed)
    edv = float(np.clip(config.edv_ml * rng.uniform(*EDV_FACTOR), *EDV_ML))
    return replace(config, edv_ml=edv), 0.0 if seed % 2 == 0 else 0.33, rng


def random_shape(model: ShapeModel, seed: int) -> Shape:
    """A heart of the shape model as large, thick-walled and well-working as a random patient's, some with an
    RV or a wall beyond that.
    """
    config, phase, rng = random_patient(seed)
    sizes = sizes_at(config, phase)
    rv, wall = (
        rng.uniform(*factors) if rng.uniform() < share else 1.0 for share, factors in (LARGE_RV, THICK_WALL)
    )
    lvm_ml, rvc_ml = min(sizes.lvm_ml * wall, LARGEST_LVM_ML), min(sizes.rvc_ml * rv, LARGEST_RVC_ML)
    sizes = replace(sizes, lvm_ml=lvm_ml, rvc_ml=rvc_ml)
    return resize(model.deform(model.random_momenta(rng)), sizes)


def lattice(step: float) -> np.ndarray:
    """(Z, Y, X, 3) mm, the u, v, w of lattice points ``step`` mm apart that fill the box of SHAPE."""
    axes = [
        (np.arange(round(count * STEP_MM / step)) - (round(count * STEP_MM / step) - 1) / 2) * step
        for count in SHAPE
    ]
    w, v, u = np.meshgrid(*axes, indexing="ij")
    return np.stack([u, v, w], -1)


def heart_labels(shape: Shape) -> np.ndarray:
    """(Z, Y, X) uint8 labels of both ventricles on `lattice` (FINE_MM), in the axes of ``shape``."""
    inside = shape.grid.position(np.argwhere(np.isin(shape.tissues, (LVC, LVM, RVC))))
    local = inside @ shape.axes.T
    middle = (local.min(0) + local.max(0)) / 2
    points = ((lattice(FINE_MM) + middle) @ shape.axes).astype(np.float32)
    tissues = shape.grid.sample(shape.tissues, points, order=0)
    return np.where(np.isin(tissues, (LVC, LVM, RVC)), tissues, BACKGROUND).astype(np.uint8)


def phantom_labels(seed: int) -> np.ndarray:
    """(Z, Y, X) uint8 labels on `lattice` (FINE_MM) of a random patient's heart made by formula."""
    config, phase, _ = random_patient(seed)
    heart = Heart.at(config, phase)
    centre = heart.to_heart(heart.ball[0][None].astype(np.float32))[0]
    points = (lattice(FINE_MM) + centre).astype(np.float32)
    labels = classify(heart.chambers.distances(points.reshape(-1, 3)))
    return labels.reshape(points.shape[:-1])


def distances_of(labels: np.ndarray) -> np.ndarray:
    """(3, *SHAPE) int8 as in `HeartDistances` of labels on `lattice` (FINE_MM)."""
    coarse = [
        (np.arange(count) - (count - 1) / 2) * STEP_MM / FINE_MM + (fine - 1) / 2
        for count, fine in zip(SHAPE, labels.shape, strict=True)
    ]
    at = np.meshgrid(*coarse, indexing="ij")
    out = np.empty((len(STRUCTURES), *SHAPE), np.int8)
    for channel, members in zip(out, STRUCTURES, strict=True):
        channel[:] = np.rint(
            ndimage.map_coordinates(_signed_distance(np.isin(labels, members)), at, order=1, mode="nearest")
            / UNIT_MM
        ).clip(-127, 127)
    return out


def _signed_distance(mask: np.ndarray) -> np.ndarray:
    """(Z, Y, X) mm, positive inside, of a mask on the fine lattice, its boundary smoothed a little."""
    limit = 127 * UNIT_MM
    out = np.full(mask.shape, -limit, np.float32)
    margin = int(MARGIN_MM / FINE_MM)
    box = tuple(
        slice(max(found[0] - margin, 0), found[-1] + margin + 1)
        for found in (np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis}))) for axis in range(3))
    )
    smooth = ndimage.gaussian_filter(mask[box].astype(np.float32), BLUR_VOXELS) > 0.5
    inside, outside = (ndimage.distance_transform_edt(part, FINE_MM) for part in (smooth, ~smooth))
    signed = np.where(smooth, inside - FINE_MM / 2, FINE_MM / 2 - outside).astype(np.float32)
    out[box] = ndimage.gaussian_filter(signed, BLUR_VOXELS)
    return out
