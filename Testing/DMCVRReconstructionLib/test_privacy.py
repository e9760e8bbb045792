"""A study as Slicer's DICOM import leaves it, full of canaries: no node, file or log of ours repeats one.

A result bears the name of its input's node, which Slicer took from the series' number and description; here
that is no canary, as everything else is.
"""

import shutil
import time

import pytest
import slicer
from canaries import UID, WORD, spilled, spilled_in
from dmcvr.core.errors import InputError
from dmcvr.core.stack import stack_grid

from DMCVRReconstruction import DMCVRReconstructionLogic


@pytest.fixture
def study(application, addVolume, phantom, tmp_path):
    """The short-axis stack and its labels, in a study of a patient."""
    grid = stack_grid(phantom.sax)
    stack = addVolume("2: cine sax", phantom.sax.frames[0].round(), grid)
    labels = addVolume("drawn", phantom.sax_labels[0], grid, "vtkMRMLLabelMapVolumeNode")
    hierarchy = application.scene.GetSubjectHierarchyNode()
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), WORD)
    item = hierarchy.CreateStudyItem(patient, WORD)
    for key in (patient, item):
        hierarchy.SetItemUID(key, "DICOM", UID)
        for name in ("DICOM.PatientName", "DICOM.PatientID", "DICOM.StudyDescription"):
            hierarchy.SetItemAttribute(key, name, WORD)
    for node in (stack, labels):
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), item)
        node.SetAttribute("DICOM.instanceUIDs", f"{UID}.1 {UID}.2")
        node.SetDescription(WORD)
        node.AddDefaultStorageNode(str(tmp_path / WORD / f"{WORD}.nrrd"))
    return stack, labels


def nodesOf(scene) -> list:
    return [scene.GetNthNode(k) for k in range(scene.GetNumberOfNodes())]


def told(node) -> set[str]:
    """The canaries in all that a node says of itself, and in the cells of a table."""
    text = str(node)
    if node.IsA("vtkMRMLTableNode"):
        cells = [
            node.GetCellText(r, c)
            for r in range(node.GetNumberOfRows())
            for c in range(node.GetNumberOfColumns())
        ]
        text += " ".join(cells)
    if node.IsA("vtkMRMLStorableNode") and (storage := node.GetStorageNode()) is not None:
        text += str(storage)
    return spilled(text)


@pytest.mark.slow
def test_a_run_repeats_nothing_of_the_patient(application, study, temporary, tmp_path, caplog, capfd):
    stack, labels = study
    assert all(told(node) for node in study)
    copy = tmp_path / "copy"
    before = {node.GetID() for node in nodesOf(application.scene)}
    caplog.set_level("DEBUG")
    run = DMCVRReconstructionLogic().reconstruct(
        stack, labelsNode=labels, method="shape", spacing=5.0, frame=0, wait=False
    )
    while run.done < 1 and not run.isOver:
        run.poll()
        if not copy.exists() and run.processID is not None:
            (job,) = temporary.iterdir()
            assert job.stat().st_mode & 0o777 == 0o700
            shutil.copytree(job, copy)
        time.sleep(0.01)
    nodes = run.wait()
    made = [node for node in nodesOf(application.scene) if node.GetID() not in before]
    assert nodes.volume in made
    assert nodes.table in made
    assert {node.GetName(): told(node) for node in made if told(node)} == {}
    assert {path.name for path in copy.iterdir()} >= {"job.json", "sax.nrrd", "labels.nrrd"}
    assert spilled_in(copy) == {}
    assert spilled(run.log) == set()
    shown = capfd.readouterr()
    assert spilled(caplog.text) | spilled(shown.out) | spilled(shown.err) == set()


def test_a_refusal_repeats_nothing_of_the_patient(study):
    stack, labels = study
    drawn = slicer.util.arrayFromVolume(labels)
    drawn[:] = 0
    with pytest.raises(InputError) as caught:
        DMCVRReconstructionLogic().reconstruct(stack, labelsNode=labels, method="shape", spacing=5.0, frame=0)
    assert spilled(str(caught.value)) == set()
