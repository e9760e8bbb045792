"""Removing nodes whole: a scene keeps what displays and stores a node that is removed from it."""

from __future__ import annotations

from collections.abc import Iterable

import slicer


def removeNodes(nodes: Iterable) -> None:
    """Remove ``nodes`` that are still in the scene, with their display and storage nodes, and a volume
    rendering's property and region.
    """
    for node in nodes:
        if node.GetScene() is not None:
            own = [*_displays(node), *_storages(node)]
            slicer.mrmlScene.RemoveNode(node)
            for item in own:
                if item is not None and item.GetScene() is not None:
                    slicer.mrmlScene.RemoveNode(item)


def _displays(node) -> list:
    if not node.IsA("vtkMRMLDisplayableNode"):
        return []
    found = [node.GetNthDisplayNode(k) for k in range(node.GetNumberOfDisplayNodes())]
    found = [item for item in found if item is not None]
    renderings = [item for item in found if item.IsA("vtkMRMLVolumeRenderingDisplayNode")]
    parts = [part for item in renderings for part in (item.GetVolumePropertyNode(), item.GetROINode())]
    return [*found, *parts]


def _storages(node) -> list:
    if not node.IsA("vtkMRMLStorableNode"):
        return []
    return [node.GetNthStorageNode(k) for k in range(node.GetNumberOfStorageNodes())]
