"""From folders of labelled stacks to arrays read once and mapped into memory.

A data folder holds pairs ``NAME.nii.gz`` and ``NAME_gt.nii.gz`` (or .nrrd, .mha), as the ACDC challenge
published them: a stack of one phase and its labels. ``prepare`` writes one array of images and one of labels,
every slice resampled to the training spacing on a square canvas about the middle of its field of view, so
training touches no image file. In eight bits a pixel and with dark borders, what ``prepare`` wrote also packs
into a small archive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..geometry import Plane, sample_plane, unit
from ..intensity import stack_scale
from ..labels import LVC, LVM, RVC
from ..stack import Stack

CANVAS = 256
"""Pixels along each side of a prepared slice."""
WHITE = 170
"""What is stored for the bright end of the heart's window; up to 1.5 times that is kept."""


@dataclass(frozen=True)
class Slices:
    """Prepared slices of many stacks, all of one spacing.

    images: (N, CANVAS, CANVAS) uint8, WHITE at the bright end of the heart's window.
    labels: (N, CANVAS, CANVAS) uint8 in the project's label order.
    stacks: (N,) int32, which stack a slice belongs to; a stack's slices stand together, in its order.
    centres: (N, 2) float32 [row, column], the heart's centre in its stack.
    names: of the stacks.
    spacing: mm a pixel.
    """

    images: np.ndarray
    labels: np.ndarray
    stacks: np.ndarray
    centres: np.ndarray
    names: tuple[str, ...]
    spacing: float

    def __len__(self) -> int:
        return len(self.images)

    def image_batch(self, index: Tensor) -> Tensor:
        """Images (B, K, C, C) float32 of the slices in ``index`` (B, K); 0 everywhere where that is -1."""
        rows = index.numpy()
        images = torch.from_numpy(self.images[rows.clip(0)]).float() / WHITE
        return images * (index >= 0)[..., None, None]

    def label_batch(self, index: Tensor) -> Tensor:
        """Labels (B, 1, C, C) uint8 of the slices in ``index`` (B,)."""
        return torch.from_numpy(self.labels[index.numpy()])[:, None]

    def centre_batch(self, index: Tensor) -> Tensor:
        """Centres (B, 2) of the slices in ``index`` (B,)."""
        return torch.from_numpy(self.centres[index.numpy()])

    def neighbours(self, index: Tensor, offset: Tensor) -> Tensor:
        """(B,) the slices ``offset`` (B,) slices further in the same stack; -1 where there is none."""
        rows, others = index.numpy(), (index + offset).numpy()
        inside = (others >= 0) & (others < len(self))
        same = self.stacks[others.clip(0, len(self) - 1)] == self.stacks[rows]
        return torch.from_numpy(np.where(inside & same, others, -1))


def labelled_pairs(folder: Path) -> list[tuple[str, Path, Path]]:
    """(name, image, labels) of every pair in ``folder``, sorted by name."""
    pairs = []
    for labels in sorted(Path(folder).glob("*_gt.*")):
        image = labels.with_name(labels.name.replace("_gt.", "."))
        if image.exists():
            pairs.append((labels.name.split("_gt.")[0], image, labels))
    if not pairs:
        raise InputError("The data folder holds no pairs NAME.nii.gz and NAME_gt.nii.gz.")
    return pairs


def read_pairs(
    folder: Path, label_values: tuple[int, int, int], keep: Callable[[str], bool] = lambda name: True
) -> Iterator[tuple[str, Stack, np.ndarray]]:
    """(name, stack, labels (S, H, W)) of every pair whose name ``keep`` accepts.

    label_values: what stands for (LVC, LVM, RVC) in the label files.
    """
    from ..volumes import read_labels, read_stack

    for name, image, labels in labelled_pairs(folder):
        if keep(name):
            stack = read_stack(image)
            yield name, stack, read_labels(labels, stack, label_values)[0]


def canvas_plane(plane: Plane, spacing: float) -> Plane:
    """The square canvas of CANVAS pixels of ``spacing`` mm about the middle of ``plane``, parallel to it."""
    step_x, step_y = unit(plane.step_x) * spacing, unit(plane.step_y) * spacing
    origin = plane.centre - (step_x + step_y) * (CANVAS - 1) / 2
    return Plane(origin, step_x, step_y, (CANVAS, CANVAS))


def resample_labels(labels: np.ndarray, source: Plane, target: Plane) -> np.ndarray:
    """Labels (H, W) on another, parallel plane: each structure resampled linearly, the largest wins."""
    shares = [sample_plane((labels == label).astype(np.float32), source, target) for label in (LVC, LVM, RVC)]
    background = 1 - np.sum(shares, axis=0)
    return np.argmax([background, *shares], axis=0).astype(np.uint8)


def prepare(cases: Iterable[tuple[str, Stack, np.ndarray]], folder: Path, spacing: float) -> Slices:
    """Resample the first frame of every case to ``spacing`` mm, write the arrays to ``folder`` and map them.

    cases: (name, stack, labels (S, H, W)); cases without a label are left out.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    images, labels, stacks, centres, names = [], [], [], [], []
    for name, stack, truth in cases:
        if not truth.any():
            continue
        canvas = [canvas_plane(stack.plane(index), spacing) for index in range(len(truth))]
        planes = [stack.plane(index) for index in range(len(truth))]
        case_images = [sample_plane(*item) for item in zip(stack.frames[0], planes, canvas, strict=True)]
        case_labels = np.stack([resample_labels(*item) for item in zip(truth, planes, canvas, strict=True)])
        centre = np.argwhere(case_labels > 0)[:, 1:].mean(0)
        scale = stack_scale(np.stack(case_images), centre, spacing)
        images += [np.rint(image / scale * WHITE).clip(0, 255).astype(np.uint8) for image in case_images]
        labels += list(case_labels)
        stacks += [len(names)] * len(truth)
        centres += [centre] * len(truth)
        names.append(name)
    if not names:
        raise InputError("No labelled stack was found to train on.")
    np.save(folder / "images.npy", np.stack(images))
    np.save(folder / "labels.npy", np.stack(labels))
    np.save(folder / "stacks.npy", np.array(stacks, np.int32))
    np.save(folder / "centres.npy", np.array(centres, np.float32))
    (folder / "stacks.json").write_text(json.dumps({"names": names, "spacing": spacing}), encoding="utf-8")
    return load(folder)


def load(folder: Path) -> Slices:
    """Map what ``prepare`` wrote."""
    folder = Path(folder)
    arrays = [
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels", "stacks", "centres")
    ]
    about = json.loads((folder / "stacks.json").read_text(encoding="utf-8"))
    return Slices(*arrays, names=tuple(about["names"]), spacing=about["spacing"])
