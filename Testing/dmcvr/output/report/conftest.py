"""A report's data, of a made-up heart, and its page taken apart."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from dmcvr.alignment.shifts import SliceShifts
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.stack import Stack
from dmcvr.io.account import LeftOut
from dmcvr.io.inputs import Input
from dmcvr.output.record import ModelRecord, make_record
from dmcvr.output.report import ReportData
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.result import Reconstruction

STEP, GAP = 2.0, 8.0
EVERY = 4
SHIFTS = SliceShifts(
    np.array([[0.0, 0], [1.25, -2.5], [0, 0], [0, 0], [-1.25, 2.5], [0, 0], [0, 0]]), None, "lax"
)


def heart(scale, shape=(25, 48, 56)):
    """Labels (Z, Y, X) at 2 mm: half an ellipsoid whose apex is at the last slice, the RV at smaller x."""
    z, y, x = (STEP * axis for axis in np.indices(shape))

    def part(radius, length, middle):
        return (z / length) ** 2 + ((y - 48) / radius) ** 2 + ((x - middle) / radius) ** 2 < 1

    labels = np.zeros(shape, np.uint8)
    labels[part(26 * scale, 40, 36)] = RVC
    labels[part(30, 46, 64)] = LVM
    labels[part(20 * scale, 40, 64)] = LVC
    return labels


@pytest.fixture(scope="session")
def data():
    labels = np.stack([heart(1.0), heart(0.9), heart(0.7), heart(0.85)])
    rng = np.random.default_rng(0)
    volume = (80.0 * (labels % 2) + 40 + 5 * rng.random(labels.shape)).astype(np.float32)
    x, y, z = STEP * np.eye(3)
    grid = Grid(np.array([-30.0, 10.0, 50.0]), x, y, z, labels.shape[1:])
    origins = np.array([grid.position(np.array([k, 0, 0])) for k in range(0, 25, EVERY)])
    stack = Stack(volume[:, ::EVERY], origins, x, y)
    # The four-chamber plane of this heart is 20 degrees from the x axis; a real one lies close to that.
    across = np.array([np.cos(0.3), np.sin(0.3), 0])
    corner = grid.position(np.array([10, 24, 32])) - 60 * across - 60 * z / STEP
    lax = Stack(rng.random((8, 1, 60, 60)).astype(np.float32), corner[None], 2 * across, z)
    volumes = [{"LVC": v, "LVM": 90.0, "RVC": v + 10} for v in (120.0, 100.0, 60.0, 80.0)]
    acquired = tuple(z // EVERY if z % EVERY == 0 else None for z in range(25))
    result = Reconstruction(
        volume, labels, None, grid, acquired, stack, labels[:, ::EVERY], SHIFTS, (0, 1, 2, 3),
        tuple(frame["LVC"] for frame in volumes), {"segment": 1.25},
        ("Slices 3 & 4 are <far> apart.",),
    )  # fmt: skip
    given = Input(stack, left_out=(LeftOut("image", 24, "phase or velocity, not magnitude"),))
    record = replace(
        make_record(result, Options(), None, ("cd" * 32, None), given, result.seconds),
        model=ModelRecord("compact", "CC BY-NC-SA 4.0", "ab" * 32),
        volumes=volumes,
        stack_volumes=[{name: value * 1.1 for name, value in frame.items()} for frame in volumes],
    )
    return ReportData(volume, labels, grid, stack, labels[:, ::EVERY], acquired, record, (lax,))


class Page(HTMLParser):
    """Collects elements and text; asserts that tags nest."""

    VOID = frozenset({"meta", "img", "br", "source"})

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "svg"} & {*self.open} and data.strip():
            self.text += " ".join(data.split()) + " "

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="session")
def parsed():
    """Takes the text of a page apart."""
    return Page
