"""The layout that compares a reconstruction with long-axis images, in the manner of the paper's Fig. 4.

One column per view: the stack as acquired on top, the reconstruction below it, and real images, if there are
any, in a third row. On the right, the short-axis view with the planes as lines, and the heart in 3D. The
slice views belong to this layout only, so the user's own are not changed.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

import slicer

VIEWS = ("2ch", "3ch", "4ch")
COLOURS = {"2ch": "#e8b23a", "3ch": "#b05fd0", "4ch": "#38b6c4"}  # of the views' frames and lines
STACK, RECONSTRUCTION, LAX = "Stack", "Reconstruction", "Lax"
SAX = "DMCVRSax"
VIEW_3D = "1"
LAYOUT_IDS = {False: 7351, True: 7352}  # without and with real long-axis images


def viewName(view: str, row: str) -> str:
    """The name of the slice view in the column ``view`` and the row ``row``."""
    return f"DMCVR{view}{row}"


def rows(withLax: bool) -> tuple[str, ...]:
    """The rows of the layout, from the top."""
    return (STACK, RECONSTRUCTION, LAX) if withLax else (STACK, RECONSTRUCTION)


def description(withLax: bool) -> str:
    """The layout in Slicer's XML."""
    grid = "".join(
        f'<item><layout type="horizontal">{"".join(_slice(view, row) for view in VIEWS)}</layout></item>'
        for row in rows(withLax)
    )
    sax = viewElement(
        "vtkMRMLSliceNode", SAX, {"orientation": "Axial", "viewlabel": "SAX", "viewcolor": "#d64541"}
    )
    in3D = viewElement("vtkMRMLViewNode", VIEW_3D, {"viewlabel": "1"})
    return (
        '<layout type="horizontal" split="true">'
        f'<item splitSize="720"><layout type="vertical">{grid}</layout></item>'
        f'<item splitSize="280"><layout type="vertical">{sax}{in3D}</layout></item>'
        "</layout>"
    )


def layoutNode():
    """Slicer's one layout node."""
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def registerLayouts() -> None:
    """Make the comparison's layouts known, so that a scene that was saved with one can be opened."""
    if (node := layoutNode()) is not None:
        for withLax, number in LAYOUT_IDS.items():
            node.AddLayoutDescription(number, description(withLax))  # does nothing if it is known


def setLayout(withLax: bool) -> int:
    """Show the comparison's layout; returns the previous one.

    Neither the layout nor its slice views are saved with the scene: where this module is not installed, the
    layout would leave the whole view area blank.
    """
    registerLayouts()
    node = layoutNode()
    before = node.GetViewArrangement()
    node.SetSaveWithScene(False)
    node.SetViewArrangement(LAYOUT_IDS[withLax])
    names = {SAX, *(viewName(view, row) for view in VIEWS for row in rows(withLax))}
    for className in ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode"):
        for own in slicer.util.getNodesByClass(className):
            if own.GetLayoutName() in names:
                own.SetSaveWithScene(False)
    return before


def restoreLayout(before: int) -> None:
    """Show the layout that ``setLayout`` returned."""
    if (node := layoutNode()) is not None:
        node.SetViewArrangement(before)
        node.SetSaveWithScene(True)


def _slice(view: str, row: str) -> str:
    label = {STACK: "acquired", RECONSTRUCTION: "DMCVR", LAX: "LAX"}[row]
    properties = {"orientation": "Axial", "viewlabel": f"{view} {label}", "viewcolor": COLOURS[view]}
    return viewElement("vtkMRMLSliceNode", viewName(view, row), properties)


def viewElement(className: str, name: str, properties: dict[str, str]) -> str:
    """One view of a layout, with its properties, in Slicer's XML."""
    inner = "".join(
        f'<property name="{key}" action="default">{value}</property>' for key, value in properties.items()
    )
    return f'<item><view class="{className}" singletontag={quoteattr(name)}>{inner}</view></item>'
