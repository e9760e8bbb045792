"""Small data to train on."""

import numpy as np
import pytest
import torch
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.training.slices import CANVAS, WHITE, Slices


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    """One thread, so that sums run in one order and small tensors are not handed around."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def hearts() -> Slices:
    """Six slices of two stacks at 1.5 mm: a bright cavity in a dark wall, which bulges in the middle slices,
    beside a bright right ventricle.
    """
    rows, columns = np.mgrid[:CANVAS, :CANVAS]
    images, labels, centres = [], [], []
    for index in range(6):
        row, column, bulge = 118 + 2 * index, 134 - index, 3 * (index % 3 == 1)
        lv = np.hypot(rows - row, columns - column)
        rv = np.hypot(rows - row, columns - column + 30)
        truth = np.zeros((CANVAS, CANVAS), np.uint8)
        truth[rv < 20] = RVC
        truth[lv < 24 - index + bulge] = LVM
        truth[lv < 16 - index + bulge] = LVC
        images.append(np.array([0.35, 0.95, 0.15, 0.85])[truth])
        labels.append(truth)
        centres.append((row, column - 10))
    return Slices.of(
        names=("one", "two"),
        images=np.rint(np.stack(images) * WHITE).astype(np.uint8),
        labels=np.stack(labels),
        stacks=np.repeat(np.arange(2, dtype=np.int32), 3),
        centres=np.array(centres, np.float32),
        spacings=np.full(6, 1.5, np.float32),
        positions=np.tile(np.array([0, 10, 20], np.float32), 2),
    )
