"""The layout that shows end-diastole beside end-systole: short axis and long axis above, 3D below."""

from __future__ import annotations

import slicer

from .layouts import layoutNode, viewElement

PHASES = {"ED": "#e8b23a", "ES": "#38b6c4"}  # with the colours of their views' frames
SAX, LAX, IN_3D = "Sax", "Lax", "3D"
LAYOUT_ID = 7353


def phaseView(phase: str, kind: str) -> str:
    """The name of the view of ``phase`` that shows SAX, LAX or IN_3D."""
    return f"DMCVR{phase}{kind}"


def description() -> str:
    """The layout in Slicer's XML."""
    columns = ""
    for phase, colour in PHASES.items():
        slices = "".join(
            viewElement(
                "vtkMRMLSliceNode",
                phaseView(phase, kind),
                {"orientation": "Axial", "viewlabel": f"{phase} {title}", "viewcolor": colour},
            )
            for kind, title in ((SAX, "SAX"), (LAX, "4ch"))
        )
        in3D = viewElement("vtkMRMLViewNode", phaseView(phase, IN_3D), {"viewlabel": phase})
        columns += (
            '<item><layout type="vertical">'
            f'<item><layout type="horizontal">{slices}</layout></item>{in3D}'
            "</layout></item>"
        )
    return f'<layout type="horizontal">{columns}</layout>'


def showPhases() -> int:
    """Show the layout; returns the previous one. It is not saved with the scene, nor are its views."""
    node = layoutNode()
    node.AddLayoutDescription(LAYOUT_ID, description())  # does nothing if it is known
    before = node.GetViewArrangement()
    node.SetSaveWithScene(False)
    node.SetViewArrangement(LAYOUT_ID)
    names = {phaseView(phase, kind) for phase in PHASES for kind in (SAX, LAX, IN_3D)}
    for className in ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode", "vtkMRMLViewNode"):
        for own in slicer.util.getNodesByClass(className):
            if own.GetLayoutName() in names:
                own.SetSaveWithScene(False)
    return before
