"""Files of a result, written by Slicer's own writers: surfaces, labels and image of the displayed frame."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer
from dmcvr.core.errors import InputError
from slicer.i18n import tr as _

from .result_nodes import ResultNodes
from .segmentation_nodes import labelsOfSegmentation
from .volume_nodes import gridOfVolume, setVolume

SURFACES = ("STL", "OBJ")


def exportSurfaces(nodes: ResultNodes, folder: Path, kind: str) -> None:
    """Write the surface of each segment into ``folder``, in LPS mm. kind: one of SURFACES."""
    _checkFrame(nodes)
    done = slicer.modules.segmentations.logic().ExportSegmentsClosedSurfaceRepresentationToFiles(
        str(folder), nodes.segmentation, None, kind, True, 1.0, False
    )
    if not done:
        raise _unwritable()


def exportNIfTI(nodes: ResultNodes, folder: Path) -> None:
    """Write image and labels into ``folder``, on one grid; the labels' numbers are 1 LVC, 2 LVM, 3 RVC."""
    _checkFrame(nodes)
    labels = slicer.vtkMRMLLabelMapVolumeNode()
    drawn = labelsOfSegmentation(nodes.segmentation, nodes.volume)
    if drawn is None:
        raise InputError(_("The segmentation holds none of LVC, LVM and RVC."))
    setVolume(labels, drawn, gridOfVolume(nodes.volume))
    _write(nodes.volume, folder / f"{nodes.volume.GetName()}.nii.gz")
    _write(labels, folder / f"{nodes.segmentation.GetName()}.nii.gz")


def writeReport(nodes: ResultNodes, prefix: str) -> Path:
    """The report of the run as a file in a new folder for temporary files, named with ``prefix``."""
    path = Path(tempfile.mkdtemp(prefix=prefix)) / "report.html"
    path.write_text(nodes.report.GetText(), encoding="utf-8")
    return path


def _checkFrame(nodes: ResultNodes) -> None:
    if nodes.frame is None:
        raise InputError(_("The displayed frame was not reconstructed; show one that was."))


def _write(node, path: Path) -> None:
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    if not storage.WriteData(node):
        raise _unwritable()


def _unwritable() -> InputError:
    return InputError(_("The files cannot be written; choose a folder on a disk with enough space."))
