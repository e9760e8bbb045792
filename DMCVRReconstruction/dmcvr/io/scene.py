"""The scene file with which 3D Slicer opens a result: a double click shows images, segmentation and heart.

A .mrml scene is XML that lists nodes, each naming others by ID and its data by file name. Only what differs
from Slicer's defaults is written; the attributes are those of the nodes' ``ReadXMLAttributes`` (Slicer 5,
Libs/MRML/Core). Views, camera and layout are singletons: Slicer gives those it has the values written here.
Slicer's world is RAS, ours LPS: x and y change sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np

from ..core.frame_times import PLAYBACK_FPS
from ..core.geometry import Grid, unit
from ..core.labels import FILL_OPACITY, LVM, NAMES, WALL_OPACITY

FOUR_UP = 3  # vtkMRMLLayoutNode::SlicerLayoutFourUpView
VIEW_ANGLE = 30.0  # degrees, of the 3D camera
SLICE_MARGIN, CAMERA_MARGIN = 1.6, 1.0  # size of the view relative to what it is fitted to
TO_RAS = np.array([-1.0, -1.0, 1.0])
CLASSES = {"Volume": "ScalarVolume", "VolumeDisplay": "ScalarVolumeDisplay"}  # where XML tag and class differ


def write_scene(
    folder: str | Path,
    grid: Grid,
    *,
    volume: str = "volume.nrrd",
    segmentation: str | None = "segmentation.seg.nrrd",
    labels: str | None = None,
    lax: Sequence[tuple[str, str]] = (),
    mask: np.ndarray | None = None,
    sequence: bool = False,
) -> Path:
    """Write ``folder/scene.mrml`` and return its path; the files named must already be in ``folder``.

    grid: the volume's, LPS mm. The red view shows its slices, green and yellow cut them at right angles.
    segmentation: .seg.nrrd file, shown over the slices and in 3D; None where there is none.
    labels: label volume outlined over the slices, for sequences, which a segmentation file cannot hold.
    lax: (name to show, file name) of images on planes of their own.
    mask: (Z, Y, X), true where the heart is: the views are fitted to it, by default to the whole grid.
    sequence: ``volume`` and ``labels`` are 4D, as ``nrrd.write_volume`` writes them; they play on opening.
    Raises ValueError where a file is not given by its bare name, FileNotFoundError where it is missing.
    """
    folder = Path(folder)
    for file in (volume, segmentation, labels, *(file for _, file in lax)):
        if file is None:
            continue
        if Path(file).name != file:
            raise ValueError("a scene refers to files beside it, by name alone")
        if not (folder / file).is_file():
            raise FileNotFoundError(folder / file)
    scene = ElementTree.Element("MRML", version="Slicer 5.0.0 0")
    image = _volume(scene, "DMCVR volume", 1, volume, sequence)
    overlay = _volume(scene, "DMCVR labels", 1, labels, sequence, tag="LabelMapVolume") if labels else ""
    if segmentation:
        _segmentation(scene, segmentation, image)
    if sequence:
        _browser(scene, [(image, volume), (overlay, labels)] if labels else [(image, volume)])
    for number, (name, file) in enumerate(lax, start=2):
        _volume(scene, name, number, file)
    _views(scene, grid, np.ones(grid.shape, bool) if mask is None or not mask.any() else mask, image, overlay)
    ElementTree.indent(scene, " ")
    path = folder / "scene.mrml"
    ElementTree.ElementTree(scene).write(path, encoding="UTF-8", xml_declaration=True)
    return path


def _node(
    scene: ElementTree.Element, tag: str, key: int | str, name: str, refs: dict[str, str], **attributes: str
) -> str:
    """Add a node that refers to others, ``refs`` being their IDs by role, and return its ID."""
    node = f"vtkMRML{CLASSES.get(tag, tag)}Node{key}"
    if references := "".join(f"{role}:{target};" for role, target in refs.items() if target):
        attributes["references"] = references
    ElementTree.SubElement(scene, tag, {"id": node, "name": name, **attributes})
    return node


def _volume(
    scene: ElementTree.Element, name: str, number: int, file: str, sequence: bool = False, tag: str = "Volume"
) -> str:
    """An image with its display; one that a sequence fills has no file of its own."""
    colours = {"Volume": "Grey", "LabelMapVolume": "Labels"}[tag]
    display = {"colorNodeID": f"vtkMRMLColorTableNode{colours}", "visibility": "true"}
    if tag == "Volume":
        display |= {"autoWindowLevel": "1"}
    refs = {"display": _node(scene, f"{tag}Display", number, f"{name} display", {}, **display)}
    if not sequence:
        key = f"{tag}{number}"  # images and label volumes share one storage class
        refs["storage"] = _node(scene, "VolumeArchetypeStorage", key, "storage", {}, fileName=quote(file))
    return _node(scene, tag, number, name, refs)


def _segmentation(scene: ElementTree.Element, file: str, image: str) -> None:
    opacities = {name: WALL_OPACITY if label == LVM else 1.0 for label, name in NAMES.items()}
    display = _node(
        scene, "SegmentationDisplay", 1, "DMCVR segmentation display", {},
        visibility="true", visibility2D="true", visibility3D="true",
        PreferredDisplayRepresentationName3D="Closed surface",
        Visibility2DFill="true", Visibility2DOutline="true",
        Opacity3D="1", Opacity2DFill=_text(FILL_OPACITY), Opacity2DOutline="1",
        SegmentationDisplayProperties="|".join(
            f"{name} Visible:true Visible3D:true Visible2DFill:true Visible2DOutline:true "
            f"Opacity3D:{opacity:g} Opacity2DFill:1 Opacity2DOutline:1" for name, opacity in opacities.items()
        ),
    )  # fmt: skip
    storage = _node(scene, "SegmentationStorage", 1, "storage", {}, fileName=quote(file))
    refs = {"display": display, "storage": storage, "referenceImageGeometryRef": image}
    _node(scene, "Segmentation", 1, "DMCVR segmentation", refs)


def _browser(scene: ElementTree.Element, tracks: list[tuple[str, str]]) -> None:
    """The sequences that fill the nodes of ``tracks`` (node ID, 4D file), stepped through together."""
    refs = {}
    for number, (node, file) in enumerate(tracks):
        storage = _node(scene, "VolumeSequenceStorage", number + 1, "storage", {}, fileName=quote(file))
        name = f"{Path(file).name.split('.')[0]} sequence"
        refs[f"sequenceNodeRef{number}"] = _node(scene, "Sequence", number + 1, name, {"storage": storage})
        refs[f"dataNodeRef{number}"] = node
    properties = "playback true recording false overwriteProxyName false saveChanges false "
    # Playing is what makes Slicer fill the nodes after opening: until the first step they are empty.
    _node(
        scene, "SequenceBrowser", 1, "DMCVR cine", refs,
        playbackActive="true", playbackLooped="true", playbackRateFps=str(PLAYBACK_FPS),
        selectedItemNumber="0",
        virtualNodePostfixes=" ".join(str(number) for number in range(len(tracks))),
        **{f"SynchronizationPropertiesMap{number}": properties for number in range(len(tracks))},
    )  # fmt: skip


def _views(scene: ElementTree.Element, grid: Grid, mask: np.ndarray, image: str, overlay: str) -> None:
    """Four-up layout, slice views along the grid through the middle of ``mask``, camera in front."""
    spans = [np.flatnonzero(mask.any(axis=other)) for other in ((1, 2), (0, 2), (0, 1))]
    low, high = np.array([span[0] for span in spans]), np.array([span[-1] for span in spans])
    # On a voxel's centre, so that every view shows voxels as they are and not a blend of two slices.
    middle = grid.position((low + high) // 2) * TO_RAS
    depth, height, width = (high - low + 1) * grid.spacing[::-1]
    x, y, z = (unit(step) * TO_RAS for step in (grid.step_x, grid.step_y, grid.step_z))
    up = z if z[2] >= 0 else -z
    cuts = {
        "Red": (x, -y, max(width, height), grid.spacing[2]),
        "Green": (x, up, max(width, depth), grid.spacing[1]),
        "Yellow": (y, up, max(height, depth), grid.spacing[0]),
    }
    for colour, (right, upward, extent, thickness) in cuts.items():
        # As in Slicer's axial view, moving the red view's slider up goes along step_x cross step_y.
        normal = np.cross(right, upward) * (-1 if colour == "Red" else 1)
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([right, upward, normal, middle])
        field = SLICE_MARGIN * extent
        _node(
            scene, "Slice", colour, colour, {}, singletonTag=colour, layoutName=colour,
            sliceToRAS=_text(matrix), dimensions="256 256 1",
            fieldOfView=_text([field, field, thickness]), useLabelOutline="true",
        )  # fmt: skip
        refs = {"backgroundVolume": image, "labelVolume": overlay}
        _node(scene, "SliceComposite", colour, "SliceComposite", refs, singletonTag=colour, layoutName=colour)
    radius = CAMERA_MARGIN * np.linalg.norm([depth, height, width]) / 2
    anterior = np.array([0, radius / np.sin(np.radians(VIEW_ANGLE / 2)), 0])
    _node(
        scene, "View", 1, "View1", {}, singletonTag="1", layoutName="1", visibility="true",
        boxVisible="false", axisLabelsVisible="false", orientationMarkerType="axes",
    )  # fmt: skip
    _node(
        scene, "Camera", 1, "Camera", {}, singletonTag="1", position=_text(middle + anterior),
        focalPoint=_text(middle), viewUp="0 0 1", viewAngle=_text(VIEW_ANGLE),
    )  # fmt: skip
    tag = "vtkMRMLLayoutNode"
    _node(scene, "Layout", tag, "Layout", {}, singletonTag=tag, currentViewArrangement=str(FOUR_UP))


def _text(values: np.ndarray | list[float] | float) -> str:
    return " ".join(f"{value + 0.0:.9g}" for value in np.ravel(values))
