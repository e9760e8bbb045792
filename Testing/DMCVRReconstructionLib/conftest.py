"""Scenes and images that the suites of Slicer's side share."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from slicer_harness import modules, qt
from slicer_harness.application import Application

qt.install()
modules.install()  # before anything of the module is imported

from dmcvr.core.geometry import Grid
from dmcvr.core.stack import stack_grid
from dmcvr.io.inputs import Input
from dmcvr.output.record import make_record
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from dmcvr.simulation.phantom import PhantomConfig, make_phantom
from DMCVRReconstructionLib.scene.result_files import ResultFiles
from DMCVRReconstructionLib.scene.result_nodes import Destination, ResultNodes, importResult
from slicer_harness import loading


@pytest.fixture
def application(tmp_path):
    """An empty scene, as after Slicer's start."""
    application = Application(str(tmp_path / "cache"))
    yield application
    application.close()


@pytest.fixture
def reopened(application, tmp_path):
    """Saves the scene and opens it in an application of its own, in a with statement."""

    @contextlib.contextmanager
    def open_again() -> Iterator[Application]:
        path = str(tmp_path / "scene.mrb")
        application.scene.SetRootDirectory(str(tmp_path))
        assert application.scene.WriteToMRB(path, None)
        other = Application(str(tmp_path / "other"))
        try:
            assert other.scene.ReadFromMRB(path)
            yield other
        finally:
            other.close()
            application.use()

    return open_again


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where jobs make their private folders; empty again after the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


@pytest.fixture(scope="session")
def oblique():
    """A grid of 5 slices 9 mm apart, turned every way."""
    turn, _ = np.linalg.qr([[1.0, 0.3, 0.2], [-0.3, 1, 0.4], [-0.1, -0.4, 1]])
    turn *= np.sign(np.linalg.det(turn))
    return Grid(np.array([12.0, -40, 33]), *(turn * [1.5, 1.5, 9.0]).T, shape=(5, 30, 36))


@pytest.fixture
def addVolume(application):
    """`loading.addVolume`, once there is a scene."""
    return loading.addVolume


@pytest.fixture
def addCine(application):
    """`loading.addCine`, once there is a scene."""
    return loading.addCine


@pytest.fixture(scope="session")
def phantom():
    """A small phantom at end-diastole, at end-systole and after, with long-axis views."""
    config = PhantomConfig(pixel_mm=2.4, matrix=(120, 130), lax_matrix=(100, 100), n_frames=6)
    return make_phantom(config, frames=[0, 2, 4])


def reconstructed(stack, labels) -> ResultFiles:
    """The reconstruction of ``stack`` from its true labels, as a finished job brings it."""
    options = Options(method="shape", frame="all" if len(labels) > 1 else 0, spacing=2.5)
    result = reconstruct(stack, None, options, labels=labels)
    record = make_record(
        result, options, None, ("ab" * 32, None), Input(result.stack), result.seconds
    ).to_json()
    return ResultFiles(result.volume, result.labels, result.grid, record)


@pytest.fixture(scope="session")
def still(phantom):
    """One frame, reconstructed."""
    return reconstructed(phantom.sax.select(frames=[0]), phantom.sax_labels[:1])


@pytest.fixture(scope="session")
def cine(phantom):
    """Three frames, reconstructed."""
    return reconstructed(phantom.sax, phantom.sax_labels)


@pytest.fixture
def destination(phantom, addCine):
    """A phantom in the scene, and where its result goes: [sequence, browser, volume], Destination."""
    nodes = addCine("SAX", phantom.sax.frames, stack_grid(phantom.sax), phantom.sax.times)
    target = Destination("SAX", 3, nodes[2].GetID(), None, phantom.sax.times, (400.0, 200.0))
    return nodes, target


def finish(steps) -> ResultNodes:
    """Take all steps of an import at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture
def finished():
    """`finish`, for the steps of other imports."""
    return finish


@pytest.fixture
def imported(destination):
    """Puts result files into the scene."""

    def put(files: ResultFiles, **changes) -> ResultNodes:
        return finish(importResult(files, replace(destination[1], **changes)))

    return put
