"""Many hearts of the shape model, by number: which are trained on and which are held back.

Training draws from the model with the seeds 0, 1, ... Evaluation draws with seeds of its own, and it alone
sees the real subjects, as they are. The model's modes were found from those subjects, though, so what is
drawn is not independent of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...core.labels import LVC
from ...core.stack import Stack
from ..phantom import random_config
from .model import ShapeModel, read_shape_model
from .scan import ScannedHeart, scan_heart
from .sizing import resize, sizes_at

FIRST_HELD_BACK = 1000
"""Seeds from here on are for evaluation."""
EDV_ML = (60.0, 390.0)  # as in the real data, and so are the two below
LARGEST_LVM_ML = LARGEST_RVC_ML = 300.0
CLOSE = {"slice_gap_mm": 5.0, "slice_thickness_mm": 5.0}
EDV_FACTOR = (0.85, 1.25)  # on a random patient's EDV, which does not reach these ends


def random_heart(model: ShapeModel, seed: int, **scan) -> ScannedHeart:
    """A heart drawn from the model, made as large, thick-walled and well-working as a random patient's: even
    seeds at end-diastole, odd ones near end-systole. ``scan`` sets fields of the scan's configuration.
    """
    rng = np.random.default_rng([seed, 11])
    config = random_config(seed, **scan)
    edv = config.edv_ml * rng.uniform(*EDV_FACTOR)
    config = replace(config, edv_ml=float(np.clip(edv, *EDV_ML)))
    # A third of the beat comes near the end of systole.
    frame = 0 if seed % 2 == 0 else config.n_frames // 3
    sizes = sizes_at(config, config.phases[frame])
    sizes = replace(sizes, lvm_ml=min(sizes.lvm_ml, LARGEST_LVM_ML), rvc_ml=min(sizes.rvc_ml, LARGEST_RVC_ML))
    return scan_heart(resize(model.deform(model.random_momenta(rng)), sizes), config, frame)


def real_heart(model: ShapeModel, index: int, **scan) -> ScannedHeart:
    """Subject ``index`` (from 0) as it is, at end-diastole, in a random body. ``scan``: as above."""
    shape = model.deform(model.subjects[index])
    config = random_config(FIRST_HELD_BACK + index, "normal", edv_ml=shape.volume_ml(LVC), **scan)
    return scan_heart(shape, config)


def training_hearts(folder: Path, count: int) -> Iterator[tuple[str, Stack, np.ndarray]]:
    """(name, stack of one frame, labels (S, H, W) uint8) of ``count`` hearts drawn from the model in
    ``folder``, made one by one; every other pair has slices half as far apart as usual. Raises InputError
    where the folder holds no model.
    """
    model = read_shape_model(folder)
    for seed in range(count):
        heart = random_heart(model, seed, **(CLOSE if seed % 4 < 2 else {}))
        yield f"heart{seed:04d}", heart.sax, heart.sax_labels[0]


@dataclass(frozen=True)
class HeldBackHearts:
    """``count`` hearts for evaluation, made one by one: real subjects and random hearts by turns, then random
    ones alone.

    scan: fields of every scan's configuration that are not left to chance. Iterating gives (name, heart).
    Raises InputError where the folder holds no model.
    """

    folder: Path
    count: int
    scan: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[str, ScannedHeart]]:
        model = read_shape_model(self.folder)
        real = min(len(model.subjects), (self.count + 1) // 2)
        order = [(kind, index) for index in range(self.count) for kind in ("real", "random")]
        order = [(kind, index) for kind, index in order if kind == "random" or index < real]
        for kind, index in order[: self.count]:
            if kind == "real":
                yield f"subject{index + 1:02d}", real_heart(model, index, **self.scan)
            else:
                seed = FIRST_HELD_BACK + index
                yield f"heart{seed}", random_heart(model, seed, **self.scan)
