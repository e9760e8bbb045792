"""Slice and 3D views of a scene, drawn offscreen by Slicer's own displayable managers.

The layout is laid out by Slicer's own logic; where its views stand in the picture is worked out here from the
layout's description. The image in a slice view is drawn by no displayable manager, but by a widget that is
not here: a mapper with the same input stands for it.

As by Qt, the views of a new layout are sized only later: when it is drawn, or by ``settle``.
"""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .application import Application

SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLColorLegendDisplayableManager",
)
VIEW_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLColorLegendDisplayableManager",
)
GAP = 2  # pixels between views
UNSIZED = (100, 30)  # pixels; Qt's size of a widget that has not been laid out


class Views:
    """The views of an application's layout, ``size`` (width, height) pixels in all."""

    def __init__(self, application: Application, size: tuple[int, int] = (1200, 800)):
        self._application, self._size = application, size
        # Views that a layout does not show live on, as Slicer's do.
        self._shown: dict[str, _View] = {}
        self._hidden: dict[str, _View] = {}
        self._layoutLogic = slicer.vtkMRMLLayoutLogic()
        self._layoutLogic.SetMRMLApplicationLogic(application.logic)
        self._layoutLogic.SetMRMLScene(application.scene)
        self._register()
        self._tag = self._layoutNode().AddObserver("ModifiedEvent", self._arrange, -1.0)
        self._arrange()

    def render(self, names: list[str] | None = None) -> np.ndarray:
        """(height, width, 3) uint8 picture of the layout, or of the views called ``names`` side by side."""
        self.settle()
        if names is not None:
            return np.hstack([self._shown[name].picture() for name in names])
        picture = np.full((self._size[1], self._size[0], 3), 40, np.uint8)
        for view in self._shown.values():
            left, top, width, height = view.box
            picture[top : top + height, left : left + width] = view.picture()
        return picture

    def save(self, path, names: list[str] | None = None) -> None:
        """Write the picture to a PNG file."""
        savePicture(path, self.render(names))

    def settle(self) -> None:
        """Give every view its size."""
        for view in self._shown.values():
            view.resize()

    def resize(self, width: int, height: int) -> None:
        """Resize the window that the views are in."""
        self._size = width, height
        self._arrange()
        self.settle()

    def composite(self, name: str):
        """What the slice view called ``name`` shows."""
        return self._shown[name].logic.GetSliceCompositeNode()

    def turn(self, azimuth: float, elevation: float, zoom: float = 1.0) -> None:
        """Turn the camera of the 3D view about what it shows, from in front."""
        self.settle()
        for view in self._shown.values():
            view.look(azimuth, elevation, zoom)

    def close(self) -> None:
        """Let go of the scene, which must still be there: drawing what is being taken apart would crash."""
        self._layoutNode().RemoveObserver(self._tag)
        self._layoutLogic.SetMRMLScene(None)
        for view in [*self._shown.values(), *self._hidden.values()]:
            view.close()
        self._shown.clear()
        self._hidden.clear()
        self._application.logic.GetSliceLogics().RemoveAllItems()
        self._application.logic.GetViewLogics().RemoveAllItems()

    def _layoutNode(self):
        return self._application.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")

    def _arrange(self, caller=None, event=None) -> None:
        description = self._layoutNode().GetCurrentLayoutDescription()
        if not description:
            return
        boxes = dict(_boxes(ElementTree.fromstring(description), 0, 0, *self._size))
        for name in list(self._shown.keys() - boxes.keys()):
            self._hidden[name] = self._shown.pop(name)
            self._hidden[name].node.SetMappedInLayout(0)
        for name, (className, box) in boxes.items():
            if name in self._hidden:
                self._shown[name] = self._hidden.pop(name)
                self._shown[name].node.SetMappedInLayout(1)
            if name not in self._shown:
                node = self._application.scene.GetSingletonNode(name, className)
                kind = _Slice if className == "vtkMRMLSliceNode" else _ThreeD
                self._shown[name] = kind(self._application, node, box)
            self._shown[name].box = box

    def _register(self) -> None:
        for factory, managers in (
            (slicer.vtkMRMLSliceViewDisplayableManagerFactory, SLICE_MANAGERS),
            (slicer.vtkMRMLThreeDViewDisplayableManagerFactory, VIEW_MANAGERS),
        ):
            instance = factory.GetInstance()
            instance.SetMRMLApplicationLogic(self._application.logic)
            for manager in managers:
                if not instance.IsDisplayableManagerRegistered(manager):
                    instance.RegisterDisplayableManager(manager)


class _View:
    """One view: an offscreen window, the node it shows, and the managers that draw it."""

    def __init__(self, application, node, box):
        self.node, self.box = node, box
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.window.SetSize(*UNSIZED)
        self.interactor.Initialize()
        self.set_up(application)
        node.SetMappedInLayout(1)

    def resize(self) -> None:
        """Take the size of the view's place in the layout."""
        self.window.SetSize(*self.box[2:])

    def close(self) -> None:
        self.managers.SetMRMLDisplayableNode(None)
        self.logic.SetMRMLScene(None)
        self.window.Finalize()

    def look(self, azimuth, elevation, zoom) -> None:
        pass

    def picture(self) -> np.ndarray:
        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        width, height = image.GetDimensions()[:2]
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()


class _Slice(_View):
    def set_up(self, application) -> None:
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application.logic)
        application.logic.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(application.scene)
        self.logic.SetSliceNode(self.node)
        # The image first: what is drawn before it would be covered.
        self.mapper = vtk.vtkImageMapper()
        self.mapper.SetColorWindow(255)
        self.mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self.mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(actor)
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()
        self.managers.Initialize(
            slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(), self.renderer
        )
        self.managers.SetMRMLDisplayableNode(self.node)
        self.logic.ResizeSliceNode(*UNSIZED)

    def resize(self) -> None:
        super().resize()
        if self.node.GetDimensions()[:2] != self.box[2:]:
            self.logic.ResizeSliceNode(*self.box[2:])

    def picture(self) -> np.ndarray:
        self.node.UpdateMatrices()
        self.logic.UpdatePipeline()
        self.mapper.SetInputConnection(self.logic.GetImageDataConnection())
        return super().picture()


class _ThreeD(_View):
    def set_up(self, application) -> None:
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(application.logic)
        application.logic.GetViewLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(application.scene)
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()
        self.managers.Initialize(
            slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(), self.renderer
        )
        self.managers.SetMRMLDisplayableNode(self.node)
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)

    def look(self, azimuth, elevation, zoom) -> None:
        self.window.Render()
        camera = self.renderer.GetActiveCamera()
        camera.SetFocalPoint(0, 0, 0)
        camera.SetPosition(0, 500, 0)
        camera.SetViewUp(0, 0, 1)
        self.renderer.ResetCamera()
        camera.Azimuth(azimuth)
        camera.Elevation(elevation)
        camera.Zoom(zoom)
        self.renderer.ResetCameraClippingRange()


def savePicture(path, picture: np.ndarray) -> None:
    """Write (height, width, 3) uint8 to a PNG file."""
    from PIL import Image

    Image.fromarray(picture).save(path)


def _boxes(element, left, top, width, height):
    """(name, (class, (left, top, width, height))) of every view in a layout's description."""
    view = element.find("view")
    if view is not None:
        yield view.get("singletontag"), (view.get("class"), (left, top, width - GAP, height - GAP))
        return
    layout = element if element.tag == "layout" else element.find("layout")
    if layout is None:
        return
    items = layout.findall("item")
    sizes = np.array([float(item.get("splitSize", 1)) for item in items])
    edges = np.concatenate([[0], np.cumsum(sizes / sizes.sum())])
    for item, a, b in zip(items, edges[:-1], edges[1:], strict=True):
        if layout.get("type") == "vertical":
            start, end = round(a * height), round(b * height)
            yield from _boxes(item, left, top + start, width, end - start)
        else:
            start, end = round(a * width), round(b * width)
            yield from _boxes(item, left + start, top, end - start, height)
