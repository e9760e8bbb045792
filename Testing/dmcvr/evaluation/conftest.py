"""Hearts of which every score is known."""

import numpy as np
import pytest
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.stack import Stack
from dmcvr.evaluation.cases import Case

SIZE = 72
PIXEL_MM = 2.0


def slice_labels() -> np.ndarray:
    """(SIZE, SIZE) a round cavity in its wall, with a right ventricle beside it."""
    row, column = np.indices((SIZE, SIZE)) - SIZE // 2
    labels = np.zeros((SIZE, SIZE), np.uint8)
    labels[(abs(row) <= 6) & (column >= -20) & (column <= -12)] = RVC
    labels[np.hypot(row, column) < 11] = LVM
    labels[np.hypot(row, column) < 7] = LVC
    return labels


@pytest.fixture(scope="session")
def prism():
    """Makes a case of ``count`` slices with the same labels, ``gap`` mm apart, and an image that brightens
    evenly along the stack: linear interpolation is exact.
    """

    def make(count: int = 5, gap: float = 5.0, name: str = "a_ED") -> Case:
        labels = np.repeat(slice_labels()[None], count, axis=0)
        random = np.random.default_rng(1).uniform(10, 40, (2, SIZE, SIZE)) + 50 * (slice_labels() == LVC)
        image = random[0] + np.arange(count)[:, None, None] * random[1] / count
        origins = np.arange(count)[:, None] * [0.0, 0.0, gap]
        step = np.array([PIXEL_MM, 0, 0]), np.array([0, PIXEL_MM, 0])
        return Case(name, Stack(image[None].astype(np.float32), origins, *step), labels)

    return make


@pytest.fixture
def lines():
    """The summary of a table by group."""
    from dmcvr.evaluation.summary import summarise

    return lambda table: {line.group: line for line in summarise(table)}
