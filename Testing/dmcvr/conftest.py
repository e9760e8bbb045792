"""What several suites share: a small phantom, the shipped model, files, and the command line."""

import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.cli import main
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.stack import Stack
from dmcvr.io.nrrd import write_volume
from dmcvr.simulation.phantom import PhantomConfig, make_phantom

# Coarse pixels and few frames keep the suites fast.
SMALL = PhantomConfig(pixel_mm=2.4, matrix=(120, 130), lax_matrix=(60, 60), n_frames=4)


@pytest.fixture(scope="session")
def phantom():
    """A phantom at end-diastole, 13 slices 10 mm apart."""
    return make_phantom(SMALL, frames=[0])


@pytest.fixture(scope="session")
def cine():
    """The same phantom at end-diastole, at mid-systole and after."""
    return make_phantom(SMALL, frames=[0, 1, 2])


@pytest.fixture(scope="session")
def shape_model_folder(tmp_path_factory):
    """A folder as of the shape model, with a made-up mean heart along the z axis and three deformations."""
    folder = tmp_path_factory.mktemp("hearts")
    (folder / "labels_1mm").mkdir()
    steps = np.eye(3) * 2.0
    corner = np.array([-70.0, -40.0, -56.0])
    shape = (50, 43, 54)
    grid = Grid(corner, *steps, shape)
    tissues = mean_heart(np.moveaxis(grid.position(np.moveaxis(np.indices(shape), 0, -1)), -1, 0))
    write_volume(folder / "labels_1mm" / "mean.nrrd", tissues, grid, labels=True)
    image = sitk.ReadImage(str(folder / "labels_1mm" / "mean.nrrd"))
    sitk.WriteImage(image, str(folder / "labels_1mm" / "mean.nii.gz"))
    rng = np.random.default_rng(8)
    points = np.stack(np.meshgrid([-60, -20, 20], [-30, 0, 30], [-40, -5, 30]), -1).reshape(-1, 3)
    momenta = rng.normal(size=(5, len(points), 3)).astype(np.float32)
    np.savez(
        folder / "shape_model.npz",
        control_points=points.astype(np.float32),
        kernel_width=np.float32(30),
        n_steps=np.int32(4),
        momenta=2.5 * momenta[:3],
        mean_momenta=0.1 * momenta[0],
        modes=momenta[3:],
        mode_sd=np.array([1.2, 0.6], np.float32),
    )
    return folder


def mean_heart(place: np.ndarray) -> np.ndarray:
    """Numbers as in the shape model's files at ``place`` (3, ...), x, y, z in mm.

    LV and RV are half ellipsoids under a lid at z = 0 with two valves each, atria shells, arteries tubes.
    """
    x, y, z = place

    def bulb(centre, width, length):
        return (np.hypot(x - centre, y) / width) ** 2 + (z / length) ** 2 < 1

    def disc(centre, radius):
        return np.hypot(x - centre[0], y - centre[1]) < radius

    def ball(centre, radius):
        return np.hypot(np.hypot(x - centre[0], y - centre[1]), z - 16) < radius

    below, lid, above = z < 0, (z >= 0) & (z < 4), z >= 4
    out = np.zeros(x.shape, np.uint8)
    out[(below | lid) & bulb(-34, 28, 38)] = 4
    out[below & bulb(-34, 25, 35)] = 3
    out[(below | lid) & bulb(0, 30, 45)] = 2
    out[below & bulb(0, 23, 40)] = 1
    left, right, aortic, pulmonary = (-8, 8), (-42, 8), (8, -9), (-36, -14)
    for valve, radius in ((left, 9), (right, 9), (aortic, 7), (pulmonary, 7)):
        out[lid & disc(valve, radius)] = 9
    for atrium, wall in ((left, 5), (right, 6)):
        out[above & ball(atrium, 14) & ~ball(atrium, 11)] = wall
    for vessel, wall in ((aortic, 7), (pulmonary, 8)):
        out[above & (z < 34) & disc(vessel, 9) & ~disc(vessel, 6)] = wall
    return out


@pytest.fixture(scope="session")
def model():
    """The shipped model, in a precision that gives the same numbers everywhere."""
    from dmcvr.model.inference import Model

    return Model.load(device="cpu", precision="float32")


def grid_of(stack: Stack) -> Grid:
    step = stack.origins[1] - stack.origins[0]
    return Grid(stack.origins[0], stack.step_x, stack.step_y, step, stack.frames.shape[1:])


@pytest.fixture(scope="session")
def write_stack():
    """Writes a regular stack, or an array on its slices, to a file and returns the path."""

    def write(path: Path, stack: Stack, array: np.ndarray | None = None) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        array = stack.frames if array is None else array
        still = len(array) == 1
        write_volume(path, array[0] if still else array, grid_of(stack), None if still else stack.times)
        return path

    return write


@pytest.fixture(scope="session")
def heart(phantom):
    """Four slices through both ventricles, and their true labels (1, S, H, W)."""
    inner = slice(5, 9)
    return phantom.sax.select(slices=inner), phantom.sax_labels[:, inner]


@pytest.fixture(scope="session")
def files(tmp_path_factory, write_stack, heart):
    """Paths "sax", "labels" and "cine" under a folder whose name is a patient's."""
    folder = tmp_path_factory.mktemp("data") / "Doe^Jane 19570401"
    stack, labels = heart
    moving = Stack(
        np.concatenate([stack.frames, stack.frames * 0.9]),
        stack.origins,
        stack.step_x,
        stack.step_y,
        np.array([0.0, 400.0]),
    )
    return {
        "sax": write_stack(folder / "sax.nrrd", stack),
        "labels": write_stack(folder / "drawn.nrrd", stack, labels),
        "cine": write_stack(folder / "cine.nrrd", moving),
    }


@dataclass(frozen=True)
class Answer:
    """What a command left behind: exit code, standard output and standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capfd):
    """Runs the command line in this process."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments) -> Answer:
        capfd.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse's own way out
            code = end.code
        return Answer(code, *capfd.readouterr())

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def refused(call, tmp_path):
    """Runs a command that must fail for bad input: exit code 2, one sentence, nothing written. Returns it."""

    def run(*arguments) -> str:
        before = sorted(tmp_path.rglob("*"))
        answer = call(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("dmcvr")
        assert answer.err.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before
        return answer.err.strip()

    return run


@pytest.fixture(scope="session")
def labelled_case():
    """Makes small labelled stacks."""

    def make(row: int = 40, bright: float = 700.0, slices: int = 3) -> tuple[Stack, np.ndarray]:
        """Pixels of 1.5 mm, 80 x 100, a bright cavity in a wall about (row, 52), and labels."""
        rows, columns = np.mgrid[:80, :100]
        away = np.hypot(rows - row, columns - 52)
        labels = np.zeros((slices, 80, 100), np.uint8)
        labels[:, away < 14] = LVM
        labels[:, away < 9] = LVC
        labels[:, np.hypot(rows - row, columns - 30) < 7] = RVC
        frames = (100 + (labels == LVC) * (bright - 100)).astype(np.float32)[None]
        origins = np.array([[5.0, 6.0, 8.0 * index] for index in range(slices)])
        return Stack(frames, origins, np.array([1.5, 0, 0]), np.array([0, 1.5, 0])), labels

    return make
