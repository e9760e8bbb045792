import re
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import COLOURS, LVC, LVM, NAMES, RVC
from dmcvr.io.nrrd import write_segmentation, write_volume
from dmcvr.io.scene import write_scene

TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
BUILT_IN = re.compile(r"vtkMRMLColorTableNode(Grey|Labels)")  # nodes every Slicer scene has


@pytest.fixture
def heart():
    """An oblique grid and ellipsoid ventricles on it, away from its middle."""
    turn, _ = np.linalg.qr([[1.0, 0.3, 0.2], [-0.3, 1, 0.4], [-0.1, -0.4, 1]])
    turn *= np.sign(np.linalg.det(turn))
    steps = turn * [1.5, 1.5, 2.0]
    grid = Grid(np.array([12.0, -40, 33]), *steps.T, shape=(20, 40, 48))
    z, y, x = np.meshgrid(np.arange(20) - 9, np.arange(40) - 16, np.arange(48) - 28, indexing="ij")
    labels = np.zeros(grid.shape, np.uint8)
    labels[((x + 10) / 9) ** 2 + (y / 10) ** 2 + (z / 7) ** 2 < 1] = RVC
    labels[(x / 10) ** 2 + (y / 10) ** 2 + (z / 8) ** 2 < 1] = LVM
    labels[(x / 6) ** 2 + (y / 6) ** 2 + (z / 6) ** 2 < 1] = LVC
    return grid, labels


@pytest.fixture
def still(tmp_path, heart):
    grid, labels = heart
    write_volume(tmp_path / "volume.nrrd", labels * 40, grid, dtype=np.int16)
    write_volume(tmp_path / "lax 4ch.nrrd", labels * 40, grid, dtype=np.int16)
    write_segmentation(tmp_path / "segmentation.seg.nrrd", labels, grid)
    return write_scene(tmp_path, grid, lax=[("LAX 4ch", "lax 4ch.nrrd")], mask=labels > 0)


@pytest.fixture
def cine(tmp_path, heart):
    grid, labels = heart
    times = np.array([0.0, 40, 80])
    write_volume(tmp_path / "volume.nrrd", np.stack([labels * k for k in (20, 30, 40)]), grid, times)
    write_volume(tmp_path / "labels.nrrd", np.stack([labels] * 3), grid, times, labels=True)
    return write_scene(tmp_path, grid, segmentation=None, labels="labels.nrrd", sequence=True)


@pytest.mark.parametrize("kind", ["still", "cine"])
def test_the_scene_is_complete_in_itself(kind, request):
    path = request.getfixturevalue(kind)
    nodes = list(ElementTree.parse(path).getroot())
    ids = [node.get("id") for node in nodes]
    assert len(set(ids)) == len(ids)
    references = [pair for node in nodes for pair in node.get("references", "").split(";") if pair]
    targets = [pair.split(":")[1] for pair in references] + [n.get("colorNodeID") for n in nodes]
    assert {t for t in targets if t and not BUILT_IN.fullmatch(t)} <= set(ids)
    files = {unquote(node.get("fileName")) for node in nodes if node.get("fileName")}
    assert files == {file.name for file in path.parent.iterdir()} - {"scene.mrml"}
    text = path.read_text()
    assert str(path.parent) not in text
    assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d", text), "dates or times"


def test_slice_views_lie_along_the_grid_through_a_voxel_of_the_heart(still, heart):
    grid, labels = heart
    root = ElementTree.parse(still).getroot()
    normals = {"Red": grid.step_z, "Green": grid.step_y, "Yellow": grid.step_x}
    for node in root.iter("Slice"):
        to_lps = TO_RAS @ np.array(node.get("sliceToRAS").split(), float).reshape(4, 4)
        assert np.allclose(to_lps[:3, :3].T @ to_lps[:3, :3], np.eye(3), atol=1e-7)
        step = normals.pop(node.get("name"))
        assert abs(to_lps[:3, 2] @ step) == pytest.approx(np.linalg.norm(step))
        indices = grid.indices(to_lps[:3, 3])
        assert np.allclose(indices, np.rint(indices), atol=1e-5)
        assert labels[tuple(np.rint(indices).astype(int))]
    assert not normals
    assert {n.get("references") for n in root.iter("SliceComposite")} == {
        f"backgroundVolume:{root.find('Volume').get('id')};"
    }


def test_the_camera_looks_at_the_heart_from_in_front(still, heart):
    grid, labels = heart
    camera = ElementTree.parse(still).getroot().find("Camera")
    position, focus = (np.array(camera.get(key).split(), float) for key in ("position", "focalPoint"))
    points = grid.position(np.argwhere(labels)) * TO_RAS.diagonal()[:3]
    assert (points.min(0) < focus).all()
    assert (focus < points.max(0)).all()
    towards = (focus - position) / np.linalg.norm(focus - position)
    assert np.allclose(towards, [0, -1, 0], atol=1e-6)  # RAS: from anterior to posterior
    rays = (points - position) / np.linalg.norm(points - position, axis=1, keepdims=True)
    assert np.degrees(np.arccos((rays @ towards).min())) < 15  # half the view angle


@pytest.mark.parametrize(("file", "error"), [("none.nrrd", FileNotFoundError), ("../a.nrrd", ValueError)])
def test_only_files_beside_the_scene_are_referred_to(still, heart, file, error):
    still.unlink()
    with pytest.raises(error):
        write_scene(still.parent, heart[0], lax=[("LAX", file)])
    assert not still.exists()


@pytest.fixture
def load(tmp_path):
    """Opens a scene with Slicer's own MRML library (slicer-core), where it is installed."""
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    scene = slicer.vtkMRMLScene()
    application, remote = slicer.vtkSlicerApplicationLogic(), slicer.vtkMRMLRemoteIOLogic()
    application.SetMRMLScene(scene)
    application.GetColorLogic().SetMRMLScene(scene)
    application.GetColorLogic().AddDefaultColorNodes()
    logics = [slicer.vtkSlicerSegmentationsModuleLogic(), slicer.vtkSlicerSequencesLogic(), remote]
    for logic in logics:
        logic.SetMRMLScene(scene)
    remote.GetCacheManager().SetRemoteCacheDirectory(str(tmp_path))
    remote.AddDataIOToScene()

    def connect(path):
        scene.SetURL(str(path))
        assert scene.Connect()
        return scene, logics[1]

    yield connect
    scene.Clear(1)


def in_place(volume, grid):
    """Whether a Slicer volume node lies where ``grid`` does."""
    matrix = pytest.importorskip("vtk").vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    found = [[matrix.GetElement(row, column) for column in range(4)] for row in range(4)]
    size = volume.GetImageData().GetDimensions()
    return np.allclose(found, TO_RAS @ grid.affine, atol=1e-4) and size == grid.shape[::-1]


def test_slicer_shows_the_image_in_place_under_named_segments(still, heart, load):
    scene, _ = load(still)
    assert in_place(scene.GetFirstNodeByName("DMCVR volume"), heart[0])
    assert in_place(scene.GetFirstNodeByName("LAX 4ch"), heart[0])
    node = scene.GetFirstNodeByName("DMCVR segmentation")
    segments = [node.GetSegmentation().GetNthSegment(k) for k in range(3)]
    colours = [tuple(round(255 * c) for c in segment.GetColor()) for segment in segments]
    assert [segment.GetName() for segment in segments] == list(NAMES.values())
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert colours == list(COLOURS.values())
    display = node.GetDisplayNode()
    assert display.GetVisibility3D()
    assert display.GetVisibility2D()
    assert display.GetSegmentOpacity3D("LVM") < display.GetSegmentOpacity3D("LVC") == 1


def test_slicer_plays_the_cine_with_its_labels(cine, heart, load):
    scene, sequences = load(cine)
    browser = scene.GetFirstNodeByName("DMCVR cine")
    sequence = browser.GetMasterSequenceNode()
    assert [float(sequence.GetNthIndexValue(k)) for k in range(3)] == [0, 40, 80]
    brightest = set()
    for frame in range(3):
        browser.SetSelectedItemNumber(frame)
        sequences.UpdateProxyNodesFromSequences(browser)
        image, labels = (scene.GetFirstNodeByName(f"DMCVR {kind}") for kind in ("volume", "labels"))
        assert in_place(image, heart[0])
        assert in_place(labels, heart[0])
        assert labels.GetImageData().GetScalarRange() == (0, 3)
        brightest.add(image.GetImageData().GetScalarRange()[1])
    assert brightest == {60, 90, 120}
