"""The place of results in the subject hierarchy."""

from __future__ import annotations

import slicer


def placeBeside(nodes: list, inputNode) -> None:
    """Move ``nodes`` to the study of ``inputNode``, or beside it if it is in none."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(inputNode) if inputNode is not None else 0
    if not item:
        return
    parent = hierarchy.GetItemAncestorAtLevel(item, "Study") or hierarchy.GetItemParent(item)
    for node in nodes:
        if own := hierarchy.GetItemByDataNode(node):
            hierarchy.SetItemParent(own, parent)
