"""The sample data: a computed phantom of the heart, so that nothing has to be downloaded."""

from __future__ import annotations

import tempfile
import time

import numpy as np
import slicer
from dmcvr.core.geometry import Grid
from dmcvr.system.privatefolder import private_folder
from slicer.i18n import tr as _

from ..scene.result_files import readImage
from ..scene.sequence_nodes import addBrowser, addSequence, indexValue
from ..scene.volume_nodes import setVolume
from .backend_process import BackendCall
from .errors import WorkerError
from .worker import PREFIX

NAME = "DMCVR phantom"
FRAMES = 8
WAIT_SECONDS = 0.02
FILES = {
    "sax": "SAX",
    "lax_2ch": "LAX 2ch",
    "lax_3ch": "LAX 3ch",
    "lax_4ch": "LAX 4ch",
}


def loadPhantom(frames: int = FRAMES, processEvents=lambda: None) -> list:
    """Add the phantom's short-axis stack and long-axis images, with their labels, to the scene.

    A separate process computes them, in about a second per frame and core; ``processEvents`` is called
    meanwhile. It requires no package that Slicer does not bring. Returns the displayed volumes, the stack
    first. Raises WorkerError if the process fails.
    """
    with private_folder(tempfile.gettempdir(), PREFIX) as folder:
        call = BackendCall(["phantom", "--output", str(folder / "phantom"), "--frames", str(frames)])
        call.start()
        while not call.isOver:
            processEvents()
            time.sleep(WAIT_SECONDS)
        if call.exitCode != 0:
            reason = call.errors.strip().splitlines()[-1:]
            raise WorkerError(
                _("The phantom could not be created: {reason}").format(reason=" ".join(reason)), call.errors
            )
        shown = []
        for stem, title in FILES.items():
            for suffix, labels in (("", False), ("_labels", True)):
                array, grid, times = readImage(folder / "phantom" / f"{stem}{suffix}.nrrd")
                name = f"{NAME} {title}" + (" labels" if labels else "")
                node = _addCine(name, array, grid, times, labels)
                if not labels:
                    shown.append(node)
        return shown


def _addCine(name: str, array: np.ndarray, grid: Grid, times: np.ndarray | None, labels: bool):
    className = "vtkMRMLLabelMapVolumeNode" if labels else "vtkMRMLScalarVolumeNode"
    shown = slicer.mrmlScene.AddNewNodeByClass(className, name)
    setVolume(shown, array[0], grid)
    shown.CreateDefaultDisplayNodes()
    if len(array) > 1:
        sequenceNode = addSequence(f"{name} sequence", times)
        for index, frame in enumerate(array):
            setVolume(shown, frame, grid)
            sequenceNode.SetDataNodeAtValue(shown, indexValue(index, times))
        addBrowser(f"{name} cine", [(sequenceNode, shown)])
        slicer.modules.sequences.logic().UpdateAllProxyNodes()
    return shown
