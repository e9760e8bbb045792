"""The image of a result as a volume rendering: bright blood in front of what is darker."""

from __future__ import annotations

import slicer
import vtk

FAINT, DENSE = 0.02, 0.35  # opacity at the level of the window and at its upper end
DARK, BRIGHT = (0.35, 0.08, 0.07), (1.0, 0.93, 0.86)


def showVolumeRendering(volumeNode, visible: bool) -> None:
    """Show or hide ``volumeNode`` as a volume rendering, which follows its window and level when shown."""
    logic = slicer.modules.volumerendering.logic()
    displayNode = logic.GetFirstVolumeRenderingDisplayNode(volumeNode)
    if displayNode is None:
        if not visible:
            return
        displayNode = logic.CreateDefaultVolumeRenderingNodes(volumeNode)
    if visible:
        _fill(displayNode.GetVolumePropertyNode().GetVolumeProperty(), volumeNode.GetDisplayNode())
    displayNode.SetVisibility(visible)


def isShown(volumeNode) -> bool:
    """Whether ``volumeNode`` is shown as a volume rendering."""
    displayNode = slicer.modules.volumerendering.logic().GetFirstVolumeRenderingDisplayNode(volumeNode)
    return displayNode is not None and bool(displayNode.GetVisibility())


def _fill(volumeProperty, displayNode) -> None:
    """Opacity and colour rise from the level of the window to its upper end; below all is clear."""
    level, half = displayNode.GetLevel(), displayNode.GetWindow() / 2
    opacity, colour = vtk.vtkPiecewiseFunction(), vtk.vtkColorTransferFunction()
    for value, alpha in ((level - half, 0.0), (level, FAINT), (level + half, DENSE)):
        opacity.AddPoint(value, alpha)
    colour.AddRGBPoint(level - half, *DARK)
    colour.AddRGBPoint(level + half, *BRIGHT)
    volumeProperty.SetScalarOpacity(opacity)
    volumeProperty.SetColor(colour)
    volumeProperty.SetInterpolationTypeToLinear()
    volumeProperty.ShadeOn()
