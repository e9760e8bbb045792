"""Stand-ins for Python modules of Slicer's that slicer-core lacks; Slicer's own where they are at hand."""

from __future__ import annotations

import enum
import importlib
import os
import sys
import types
import typing
import unittest
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import slicer
import slicer.util
from packaging.requirements import Requirement

GENUINE = os.environ.get("DMCVR_SLICER_PYTHON")
NAMES = ("i18n", "packaging", "ScriptedLoadableModule", "parameterNodeWrapper")


def install() -> None:
    """Make the modules that this file stands in for importable, as ``slicer.i18n`` and so on.

    With DMCVR_SLICER_PYTHON they come from there, and ``slicer.util`` as well. Raises ImportError where the
    folder is not Slicer's ``Base/Python``.
    """
    if GENUINE:
        _install_genuine(Path(GENUINE))
        return
    _module("i18n", tr=lambda text: text, translate=lambda context, text: text)
    bases = {
        "ScriptedLoadableModule": ScriptedLoadableModule,
        "ScriptedLoadableModuleWidget": ScriptedLoadableModuleWidget,
        "ScriptedLoadableModuleLogic": ScriptedLoadableModuleLogic,
        "ScriptedLoadableModuleTest": ScriptedLoadableModuleTest,
    }
    _module("ScriptedLoadableModule", __all__=list(bases), **bases)
    _module("parameterNodeWrapper", parameterNodeWrapper=parameterNodeWrapper, WithinRange=WithinRange)
    _module("packaging", pip_check=pip_check, pip_ensure=pip_ensure, pip_install=pip_install)
    sys.modules["SampleData"] = types.ModuleType("SampleData")
    sys.modules["SampleData"].SampleDataLogic = SampleDataLogic


def _install_genuine(folder: Path) -> None:
    own = str(folder / "slicer")
    if own in slicer.__path__:
        return
    slicer.__path__.insert(0, own)
    loadUI = slicer.util.loadUI  # of the stand-ins for Qt
    del sys.modules["slicer.util"]
    slicer.util = importlib.import_module("slicer.util")
    slicer.util.loadUI = loadUI
    for name in ("util", *NAMES):
        loaded = importlib.import_module(f"slicer.{name}")
        if not Path(loaded.__file__).is_relative_to(folder):
            raise ImportError(f"{folder} is not Slicer's Base/Python: it has no slicer/{name}")
    sys.path.append(str(folder.parents[1] / "Modules" / "Scripted" / "SampleData"))


def _module(name: str, **contents) -> None:
    module = types.ModuleType(f"slicer.{name}")
    module.__dict__.update(contents)
    sys.modules[f"slicer.{name}"] = module
    # As Slicer itself does, the name of the base class hides that of its module.
    if name not in contents:
        setattr(slicer, name, module)


class ScriptedLoadableModule:
    """What Slicer makes first of a module: its description, in ``parent``."""

    def __init__(self, parent):
        self.parent = parent


class ScriptedLoadableModuleWidget:
    """A module's panel; ``parent`` is the widget whose layout it fills."""

    def __init__(self, parent):
        self.parent = parent
        self.layout = parent.layout()
        self.moduleName = type(self).__name__.removesuffix("Widget")

    def setup(self):
        pass

    def resourcePath(self, name):
        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / name)


class ScriptedLoadableModuleLogic:
    """Keeps the one parameter node of a module in the scene."""

    def __init__(self):
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self):
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(self.moduleName)
            node.SetName(self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        node.SetAttribute("ModuleName", self.moduleName)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """The base of a module's self test."""

    def delayDisplay(self, message, requestedDelay=None, msec=None):
        slicer.util.delayDisplay(message, msec)


class SampleDataLogic:
    """Lists sample data, as Slicer's module of this name does."""

    @staticmethod
    def registerCustomSampleDataSource(category, **source):
        if not hasattr(slicer.modules, "sampleDataSources"):
            slicer.modules.sampleDataSources = {}
        slicer.modules.sampleDataSources.setdefault(category, []).append(types.SimpleNamespace(**source))


def pip_check(requirement):
    """Whether ``requirement`` is installed in a suitable version."""
    wanted = Requirement(requirement)
    try:
        return version(wanted.name) in wanted.specifier
    except PackageNotFoundError:
        return False


def pip_ensure(requirements, prompt_install=True, requester=None):
    """Installs what is not there of ``requirements``."""
    if wanted := [requirement for requirement in requirements if not pip_check(requirement)]:
        slicer.packaging.pip_install(wanted, requester=requester)


def pip_install(requirements, requester=None):
    """Tests install nothing."""
    raise RuntimeError("nothing is installed here")


class WithinRange:
    """Bounds of a parameter; the widgets of the panel have the same in their .ui file."""

    def __init__(self, minimum, maximum):
        self.minimum, self.maximum = minimum, maximum


def parameterNodeWrapper(cls):
    """Attributes of ``cls`` become parameters kept in a node, as by Slicer's decorator of this name.

    Of its types only those that the module uses are known: bool, int, float, str, enumerations and MRML
    nodes. Widgets with the property SlicerParameterName follow their parameter and the parameter follows
    them.
    """
    hints = typing.get_type_hints(cls)
    defaults = {name: getattr(cls, name, _EMPTY.get(kind)) for name, kind in hints.items()}

    def isNode(kind):
        return kind not in _EMPTY and not (isinstance(kind, type) and issubclass(kind, enum.Enum))

    def read(self, name):
        node, kind = self.parameterNode, hints[name]
        if isNode(kind):
            return node.GetNodeReference(name)
        text = node.GetParameter(name)
        if kind is bool:
            return text == "True"
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return kind[text] if text else defaults[name]
        return kind(text) if text else defaults[name]

    def write(self, name, value):
        node = self.parameterNode
        if isNode(hints[name]):
            node.SetNodeReferenceID(name, value.GetID() if value is not None else None)
        else:
            node.SetParameter(name, value.name if isinstance(value, enum.Enum) else str(value))

    def __init__(self, parameterNode):
        self.parameterNode, self._connections = parameterNode, {}
        for name, kind in hints.items():
            if not isNode(kind) and not parameterNode.GetParameter(name):
                write(self, name, defaults[name])

    def connectGui(self, ui):
        from .widgets import prepareWidget, readWidget, whenChanged, writeWidget

        widgets = {}
        for widget in vars(ui).values():
            if name := widget.property("SlicerParameterName"):
                widgets[name] = widget
                prepareWidget(widget, hints[name])
        busy = []

        def show(caller=None, event=None):
            if not busy:
                busy.append(True)
                for name, widget in widgets.items():
                    writeWidget(widget, read(self, name))
                busy.pop()

        def take(name, widget):
            if not busy:
                write(self, name, readWidget(widget))

        show()
        stops = [whenChanged(w, lambda n=n, w=w: take(n, w)) for n, w in widgets.items()]
        tag = self.parameterNode.AddObserver("ModifiedEvent", show)
        self._connections[tag] = stops
        return tag

    def disconnectGui(self, tag):
        if tag in self._connections:
            self.parameterNode.RemoveObserver(tag)
            for stop in self._connections.pop(tag):
                stop()

    for name in hints:
        setattr(cls, name, property(lambda s, n=name: read(s, n), lambda s, v, n=name: write(s, n, v)))
    cls.__init__, cls.connectGui, cls.disconnectGui = __init__, connectGui, disconnectGui
    cls.AddObserver = lambda self, event, call, priority=0.0: self.parameterNode.AddObserver(event, call)
    cls.RemoveObserver = lambda self, tag: self.parameterNode.RemoveObserver(tag)
    cls.StartModify = lambda self: self.parameterNode.StartModify()
    cls.EndModify = lambda self, before: self.parameterNode.EndModify(before)
    return cls


_EMPTY = {bool: False, int: 0, float: 0.0, str: ""}
