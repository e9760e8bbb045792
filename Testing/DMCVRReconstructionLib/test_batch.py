"""The shipped batch example, but for the reading and writing of files, which is Slicer's GUI's."""

import runpy
import sys
from pathlib import Path

import pytest
import slicer
from dmcvr.core.stack import stack_grid
from dmcvr.io.nrrd import write_volume

SCRIPT = Path(__file__).resolve().parents[2] / "DMCVRReconstruction/Resources/Batch/reconstruct_folder.py"


@pytest.fixture
def call(application, monkeypatch, capfd):
    """Runs the script with arguments; returns exit code and standard error."""

    def load(path):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", Path(path).stem)
        storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
        storage.SetFileName(path)
        if not storage.ReadData(node):
            raise RuntimeError("not read")
        return node

    def save(node, path):
        node.AddDefaultStorageNode(path)
        return bool(node.GetStorageNode().WriteData(node))

    monkeypatch.setattr(slicer.util, "loadVolume", load)
    monkeypatch.setattr(slicer.util, "saveNode", save)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return end.value.code, capfd.readouterr().err

    return run


@pytest.mark.slow
def test_a_folder_is_done_and_told_by_the_exit_code(call, phantom, tmp_path):
    folder = tmp_path / "Doe^Jane"
    folder.mkdir()
    heart = phantom.sax.select(frames=[0], slices=slice(5, 9))
    write_volume(folder / "a heart.nrrd", heart.frames[0], stack_grid(heart))
    (folder / "broken.nrrd").write_text("nothing")
    code, errors = call(folder, "--output", tmp_path / "out", "--spacing", 5, "--steps", 1)
    assert code == 2
    told = [line for line in errors.splitlines() if line.startswith("2 of 2")]
    assert told == ["2 of 2: The file cannot be read; it is damaged or in another format."]
    assert "Doe" not in told[0]
    files = {path.name for path in (tmp_path / "out" / "a heart").iterdir()}
    assert files == {"volume.nrrd", "segmentation.seg.nrrd", "measurements.tsv"}
    assert not (tmp_path / "out" / "broken").exists()


def test_an_empty_folder_is_bad_usage(call, tmp_path):
    code, errors = call(tmp_path, "--output", tmp_path / "out")
    assert code == 2
    assert "contains no stacks" in errors


@pytest.mark.usefixtures("call")
def test_of_a_cine_every_frame_is_written(imported, cine, tmp_path):
    nodes = imported(cine)
    runpy.run_path(str(SCRIPT))["save"](nodes, tmp_path / "out")
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files >= {"volume.seq.nrrd", "segmentation.seq.mrb", "volumes_over_time.tsv"}
    back = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "back")
    storage = slicer.vtkMRMLSequenceStorageNode()
    slicer.mrmlScene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "out" / "segmentation.seq.mrb"))
    assert storage.ReadData(back)
    assert back.GetNumberOfDataNodes() == 3
    for frame in range(3):
        segmentation = back.GetNthDataNode(frame).GetSegmentation()
        assert segmentation.GetNumberOfSegments() == 3
