"""The modules ``qt`` and ``ctk`` and Slicer's widgets, on PySide6, in PythonQt's dialect as Slicer speaks it.

There Qt's properties are attributes (``button.text = "Run"``), signals are connected by their signature
(``button.connect("clicked(bool)", f)``), and an object has a ``name``. Slicer's widgets do what the module's
panel uses of them: choosing a node, folding a section, holding the scene.
"""

from __future__ import annotations

import os
import sys
import types

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

WIDGETS = (
    "QWidget QFrame QPushButton QToolButton QCheckBox QComboBox QSpinBox QDoubleSpinBox QSlider QLineEdit "
    "QLabel QProgressBar QPlainTextEdit QListWidget QTableWidget QTextEdit"
)
# Slicer's own parameter nodes name these, so that they must exist.
UNUSED_CTK = (
    "ctkSliderWidget ctkDoubleSlider ctkDoubleSpinBox ctkRangeWidget ctkDoubleRangeSlider ctkComboBox "
    "ctkCheckBox ctkCheckablePushButton ctkPathLineEdit ctkDirectoryButton ctkColorPickerButton"
)
# Qt calls these itself, so an attribute in their place would call itself without end.
VIRTUAL = ("sizeHint", "minimumSizeHint")
UNUSED_SLICER = "qMRMLSliderWidget qMRMLRangeWidget qMRMLSpinBox qMRMLCheckableNodeComboBox"

application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["DMCVR"])


def pythonQt(base: type, **more) -> type:
    """``base`` with its Qt properties as attributes and with ``connect``."""
    contents: dict = {"connect": _connect, "name": property(QtCore.QObject.objectName)}
    meta = base.staticMetaObject
    for index in range(meta.propertyCount()):
        name = meta.property(index).name()
        if name in VIRTUAL:
            continue
        if not any(isinstance(vars(parent).get(name), QtCore.Property) for parent in base.__mro__):
            contents[name] = property(
                lambda self, name=name: QtCore.QObject.property(self, name),
                lambda self, value, name=name: QtCore.QObject.setProperty(self, name, value),
            )
    contents |= more
    return type(base.__name__, (base,), contents)


def _connect(self, signature: str, call) -> None:
    getattr(self, signature.split("(")[0]).connect(call)


class NodeComboBox(QtWidgets.QComboBox):
    """qMRMLNodeComboBox: the nodes of some classes in the scene, in the order they were added."""

    currentNodeChanged = QtCore.Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene, self._tags, self._nodes, self._types, self._hidden = None, [], [], [], []
        self._none = False
        self.currentIndexChanged.connect(self._tell)

    def _tell(self, index) -> None:
        self.currentNodeChanged.emit(self.currentNode())

    def setMRMLScene(self, scene) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            events = (slicer.vtkMRMLScene.NodeAddedEvent, slicer.vtkMRMLScene.NodeRemovedEvent)
            self._tags = [scene.AddObserver(event, self.fill) for event in events]
            self.fill()

    def fill(self, caller=None, event=None) -> None:
        if self._scene is None:
            return
        current = self.currentNode()
        if current is not None and current.GetScene() is None:
            current = None
        self.blockSignals(True)
        self.clear()
        self._nodes = [None] if self._none else []
        for kind in self._types:
            found = self._scene.GetNodesByClass(kind)
            found.UnRegister(self._scene)
            for index in range(found.GetNumberOfItems()):
                node = found.GetItemAsObject(index)
                if not node.GetHideFromEditors() and node.GetClassName() not in self._hidden:
                    self._nodes.append(node)
        for node in self._nodes:
            self.addItem("None" if node is None else node.GetName())
        self.blockSignals(False)
        self.setCurrentNode(current)

    def currentNode(self):
        index = QtWidgets.QComboBox.currentIndex(self)
        return self._nodes[index] if 0 <= index < len(self._nodes) else None

    def setCurrentNode(self, node) -> None:
        if node is not None and node not in self._nodes:
            self.fill()
        self.setCurrentIndex(self._nodes.index(node) if node in self._nodes else (0 if self._none else -1))

    def _setTypes(self, value) -> None:
        self._types = list(value)
        self.fill()

    def _setNone(self, value) -> None:
        self._none = bool(value)
        self.fill()

    def _setHidden(self, value) -> None:
        self._hidden = list(value)
        self.fill()

    nodeTypes = QtCore.Property("QStringList", lambda self: self._types, _setTypes)
    noneEnabled = QtCore.Property(bool, lambda self: self._none, _setNone)
    hideChildNodeTypes = QtCore.Property("QStringList", lambda self: self._hidden, _setHidden)
    showChildNodeTypes = QtCore.Property(bool, lambda self: True, lambda self, value: None)
    addEnabled = QtCore.Property(bool, lambda self: False, lambda self, value: None)
    removeEnabled = QtCore.Property(bool, lambda self: False, lambda self, value: None)
    renameEnabled = QtCore.Property(bool, lambda self: False, lambda self, value: None)


class CollapsibleButton(QtWidgets.QGroupBox):
    """ctkCollapsibleButton: a titled section that folds."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._collapsed = False

    def _collapse(self, value) -> None:
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
            if value or self._collapsed:
                child.setVisible(not value)
        self._collapsed = bool(value)

    def showEvent(self, event) -> None:
        # The .ui file folds a section before it is filled.
        super().showEvent(event)
        if self._collapsed:
            self._collapse(True)

    text = QtCore.Property(str, lambda self: self.title(), lambda self, value: self.setTitle(value))
    collapsed = QtCore.Property(bool, lambda self: self._collapsed, _collapse)


class BrowserWidget(QtWidgets.QWidget):
    """The sequence browser that qMRMLSequenceBrowserPlayWidget and its like show, or None."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._browser, self._tag = None, None

    def setMRMLSequenceBrowserNode(self, node) -> None:
        if self._browser is not None:
            self._browser.RemoveObserver(self._tag)
        self._browser = node
        if node is not None:
            self._tag = node.AddObserver("ModifiedEvent", lambda caller, event: self.show_state())
        self.show_state()

    def show_state(self) -> None:
        """Show what has changed."""


class PlayWidget(BrowserWidget):
    """qMRMLSequenceBrowserPlayWidget: a button that plays, without the clock of Slicer's module."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.button = QtWidgets.QPushButton("Play", self)
        self.button.setCheckable(True)
        self.button.toggled.connect(lambda on: self._browser and self._browser.SetPlaybackActive(on))
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)


class SeekWidget(BrowserWidget):
    """qMRMLSequenceBrowserSeekWidget: a slider over the items, and the value of the index."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.slider, self.label = QtWidgets.QSlider(QtCore.Qt.Horizontal, self), QtWidgets.QLabel(self)
        self.slider.valueChanged.connect(
            lambda item: self._browser and self._browser.SetSelectedItemNumber(item)
        )
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider)
        layout.addWidget(self.label)

    def _seek(self, item: int) -> None:
        if self._browser is not None:
            self._browser.SetSelectedItemNumber(item)

    def show_state(self) -> None:
        node, master = self._browser, self._browser and self._browser.GetMasterSequenceNode()
        if master is None:
            return
        selected = max(0, node.GetSelectedItemNumber())
        self.slider.blockSignals(True)
        self.slider.setMaximum(max(0, node.GetNumberOfItems() - 1))
        self.slider.setValue(selected)
        self.slider.blockSignals(False)
        self.label.setText(f"{master.GetNthIndexValue(selected)} {master.GetIndexUnit() or ''}")


class MRMLWidget(QtWidgets.QWidget):
    """qMRMLWidget: hands the scene on to the widgets in it."""

    mrmlSceneChanged = QtCore.Signal(object)

    def setMRMLScene(self, scene) -> None:
        for child in self.findChildren(NodeComboBox):
            child.setMRMLScene(scene)


class Timer(QtCore.QTimer):
    connect = _connect


def install() -> None:
    """Make ``qt`` and ``ctk`` importable, and Slicer's widgets attributes of ``slicer``."""
    qt, ctk = types.ModuleType("qt"), types.ModuleType("ctk")
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            if name.startswith("Q"):
                setattr(qt, name, getattr(module, name))
    for name in WIDGETS.split():
        setattr(qt, name, pythonQt(getattr(QtWidgets, name)))
    qt.QTimer, qt.Qt = Timer, QtCore.Qt
    ctk.ctkCollapsibleButton = pythonQt(CollapsibleButton)
    for holder, names in ((ctk, UNUSED_CTK), (slicer, UNUSED_SLICER)):
        for name in names.split():
            setattr(holder, name, type(name, (QtWidgets.QWidget,), {}))
    slicer.qMRMLNodeComboBox, slicer.qMRMLWidget = pythonQt(NodeComboBox), pythonQt(MRMLWidget)
    slicer.qMRMLSequenceBrowserPlayWidget = pythonQt(PlayWidget)
    slicer.qMRMLSequenceBrowserSeekWidget = pythonQt(SeekWidget)
    sys.modules.update(qt=qt, ctk=ctk)
    slicer.util.loadUI = loadUI


class _Loader(QtUiTools.QUiLoader):
    def createWidget(self, className, parent=None, name=""):
        for holder in (sys.modules["qt"], sys.modules["ctk"], slicer):
            kind = vars(holder).get(className)
            if isinstance(kind, type) and issubclass(kind, QtWidgets.QWidget):
                widget = kind(parent)
                widget.setObjectName(name)
                return widget
        return super().createWidget(className, parent, name)


def loadUI(path: str):
    """The panel that a .ui file describes, of the stand-ins' widgets."""
    loader = _Loader()
    widget = loader.load(path)
    widget.loader = loader  # it owns the Python side of what it made
    return widget
