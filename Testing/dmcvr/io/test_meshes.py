import numpy as np
import pytest
import trimesh
from dmcvr.io.meshes import write_mesh
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

BOX = trimesh.creation.box((10, 20, 30))
POINTS = np.add(BOX.vertices, [100, -50, 7])


def written(folder, suffix):
    path = folder / f"mesh{suffix}"
    write_mesh(path, POINTS, BOX.faces)
    return path


@pytest.mark.parametrize("suffix", [".stl", ".ply"])
def test_another_program_finds_the_same_solid(tmp_path, suffix):
    path = written(tmp_path, suffix)
    mesh = trimesh.load(path)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(6000)
    np.testing.assert_allclose(mesh.bounds.mean(0), [100, -50, 7])
    assert b"SPACE=LPS" in path.read_bytes()[:200]


def test_a_vtp_file_has_the_points_and_says_in_which_space_they_are(tmp_path):
    reader = vtkXMLPolyDataReader()
    reader.SetFileName(str(written(tmp_path, ".vtp")))
    reader.Update()
    mesh = reader.GetOutput()
    np.testing.assert_allclose(vtk_to_numpy(mesh.GetPoints().GetData()), POINTS)
    np.testing.assert_array_equal(
        vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3), BOX.faces
    )
    assert mesh.GetFieldData().GetAbstractArray("SPACE").GetValue(0) == "LPS"


@pytest.mark.parametrize("suffix", [".vtp", ".stl", ".ply"])
def test_slicer_takes_it_for_what_it_says(tmp_path, suffix):
    slicer = pytest.importorskip("slicer")
    scene = slicer.vtkMRMLScene()
    node = scene.AddNewNodeByClass("vtkMRMLModelNode")
    storage = slicer.vtkMRMLModelStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(written(tmp_path, suffix)))
    assert storage.ReadData(node)
    bounds = np.zeros(6)
    node.GetRASBounds(bounds)
    np.testing.assert_allclose(bounds.reshape(3, 2).mean(1), [-100, 50, 7], atol=1e-4)


def test_the_same_mesh_gives_the_same_bytes(tmp_path):
    (tmp_path / "again").mkdir()
    for suffix in (".vtp", ".stl", ".ply"):
        assert written(tmp_path, suffix).read_bytes() == written(tmp_path / "again", suffix).read_bytes()


def test_other_formats_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="obj"):
        written(tmp_path, ".obj")
