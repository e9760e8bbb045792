"""What Slicer reads of the extension before any of its code runs."""

import ast
import importlib
import json
import re
import subprocess
import sys
import typing
import unittest
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import slicer
from dmcvr.core.labels import COLOURS, NAMES
from dmcvr.core.terminology import TERMS
from DMCVRReconstructionLib.comparison import layouts
from DMCVRReconstructionLib.panel.parameter_node import DMCVRParameterNode
from DMCVRReconstructionLib.running import installation, sample_data
from DMCVRReconstructionLib.running.errors import WorkerError
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "DMCVRReconstruction"
LIB_FILES = sorted(
    path.relative_to(MODULE).as_posix() for path in MODULE.glob("DMCVRReconstructionLib/**/*.py")
)
LIB_MODULES = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in LIB_FILES]
# Slicer 5.12 brings none of them but scipy and Pillow, which take longer to import than its start-up should.
NOT_AT_START = (
    "torch",
    "scipy",
    "skimage",
    "safetensors",
    "tqdm",
    "PIL",
    "matplotlib",
    "nibabel",
    "nrrd",
    "jinja2",
)


def cmakeValues(path: Path) -> dict[str, str]:
    text = path.read_text()
    return dict(re.findall(r'set\((\w+) "([^"]*)"\)', text)) | {
        "project": re.search(r"project\((\w+)\)", text)[1]
    }


def test_the_three_descriptions_say_the_same():
    cmake = cmakeValues(ROOT / "CMakeLists.txt")
    index = json.loads((ROOT / "DMCVR.json").read_text())
    lines = [line for line in (ROOT / "DMCVR.s4ext").read_text().splitlines() if not line.startswith("#")]
    old = {key: value for key, _, value in (line.partition(" ") for line in lines)}
    assert (ROOT / f"{cmake['project']}.json").is_file()
    assert index["category"] == old["category"] == cmake["EXTENSION_CATEGORY"]
    assert index["scm_url"] == old["scmurl"]
    assert index["scm_revision"] == old["scmrevision"]
    assert index["build_subdirectory"] == old["build_subdirectory"]
    assert index["build_dependencies"] == old["depends"].split() == cmake["EXTENSION_DEPENDS"].split(";")
    for name, key in (
        ("homepage", "HOMEPAGE"),
        ("contributors", "CONTRIBUTORS"),
        ("description", "DESCRIPTION"),
        ("iconurl", "ICONURL"),
        ("screenshoturls", "SCREENSHOTURLS"),
    ):
        assert old[name] == cmake[f"EXTENSION_{key}"]
    for name in ("iconurl", "screenshoturls"):
        assert (ROOT / old[name].split("/main/")[1]).is_file()
    assert set(index) <= {
        "$schema", "build_dependencies", "build_subdirectory", "category", "scm_revision", "scm_url", "tier",
    }  # fmt: skip


def test_cmake_lists_every_file_of_the_module():
    text = (MODULE / "CMakeLists.txt").read_text()
    for path in LIB_FILES:
        assert f"  {path}\n" in text
    for name in re.findall(r"^  (Resources/\S+)$", text, re.M):
        assert (MODULE / name.replace("${MODULE_NAME}", "DMCVRReconstruction")).is_file(), name
    shipped = [path for path in (MODULE / "Resources").rglob("*") if path.is_file()]
    for path in shipped:
        name = path.relative_to(MODULE).as_posix().replace("DMCVRReconstruction", "${MODULE_NAME}")
        assert name in text, name
    # Slicer takes any other file beside the module's for a module.
    assert [path.name for path in MODULE.glob("*.py")] == ["DMCVRReconstruction.py"]
    for pattern in re.findall(r"^  (dmcvr/\S+)$", text, re.M):
        assert list(MODULE.rglob(pattern.split("/")[-1])), pattern
    for path in (MODULE / "dmcvr").rglob("templates/*"):
        assert f"  dmcvr/*/templates/*{path.suffix}\n" in text, path


@pytest.mark.slow
def test_the_module_imports_nothing_heavy_or_not_brought_by_slicer():
    program = (
        "import sys\n"
        f"sys.path[:0] = [{str(MODULE)!r}, {str(ROOT / 'Testing')!r}]\n"
        "from slicer_harness import modules, qt\n"
        "qt.install(); modules.install()\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {NOT_AT_START!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "import DMCVRReconstruction\n" + "".join(f"import {name}\n" for name in LIB_MODULES)
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_icons_are_of_the_size_that_slicer_wants():
    assert Image.open(ROOT / "Resources" / "DMCVR.png").size == (128, 128)
    assert Image.open(MODULE / "Resources/Icons/DMCVRPhantom.png").size == (260, 280)


def test_every_bound_widget_has_a_parameter():
    ui = ElementTree.parse(MODULE / "Resources/UI/DMCVRReconstruction.ui")
    bound = {
        item.find("string").text for item in ui.iter("property") if item.get("name") == "SlicerParameterName"
    }
    parameters = set(typing.get_type_hints(DMCVRParameterNode))
    assert bound == parameters - {"resultVolume"}


def test_slicer_reads_the_terminology():
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    path = MODULE / "Resources/Terminology/DMCVR.term.json"
    assert logic.LoadTerminologyFromFile(str(path)) == "DMCVR heart"
    category = slicer.vtkSlicerTerminologyCategory()
    assert logic.GetNthCategoryInTerminology("DMCVR heart", 0, category)
    assert logic.GetNumberOfTypesInTerminologyCategory("DMCVR heart", category) == len(NAMES)
    found = slicer.vtkSlicerTerminologyType()
    for index, (label, name) in enumerate(NAMES.items()):
        assert logic.GetNthTypeInTerminologyCategory("DMCVR heart", category, index, found)
        assert (found.GetCodeValue(), found.GetCodeMeaning()) == TERMS[label]
        assert found.GetSlicerLabel() == name
        assert tuple(found.GetRecommendedDisplayRGBValue()) == COLOURS[label]


def calls(path: Path, names: set[str]) -> list[ast.Call]:
    """The calls of functions of these names in a file."""
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [call for call in found if isinstance(call.func, ast.Name) and call.func.id in names]


def test_translators_see_every_text():
    """What they are given is gathered from the sources, so that only literals can be translated."""
    seen = 0
    for path in [MODULE / "DMCVRReconstruction.py", *(MODULE / name for name in LIB_FILES)]:
        for call in calls(path, {"_", "tr", "translate"}):
            assert all(isinstance(value, ast.Constant) for value in call.args), f"{path}:{call.lineno}"
            seen += 1
    assert seen > 80


def test_what_slicer_is_told_when_it_has_started(application):
    module = importlib.import_module("DMCVRReconstruction")
    slicer.modules.terminologies = SimpleNamespace(logic=slicer.vtkSlicerTerminologiesModuleLogic)
    module.onStartupCompleted()
    for number in layouts.LAYOUT_IDS.values():
        assert layouts.layoutNode().IsLayoutDescription(number)
    (source,) = slicer.modules.sampleDataSources["Cardiac"]
    assert source.sampleName == "DMCVR phantom"
    assert Path(source.thumbnailFileName).is_file()


def test_why_sample_data_cannot_be_had_is_shown(application, monkeypatch):
    """A click on the sample calls this without handling errors."""
    sample_data.registerSampleData("thumbnail.png")
    (source,) = slicer.modules.sampleDataSources["Cardiac"]

    def fail(processEvents):
        processEvents()
        raise WorkerError("The disk is full.")

    monkeypatch.setattr(sample_data, "loadPhantom", fail)
    with pytest.raises(WorkerError):
        source.customDownloader(source)
    assert len(application.app.errors) == 1
    assert "The disk is full." in application.app.errors[0]


def test_the_self_test_says_why_it_is_skipped(application, monkeypatch):
    monkeypatch.setattr(installation, "OTHERS", ("no-such-package>=1",))
    module = importlib.import_module("DMCVRReconstruction")
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(module.DMCVRReconstructionTest)
    result = unittest.TestResult()
    suite.run(result)  # as ctest does
    ((_test, reason),) = result.skipped
    assert reason == "Python packages are not installed: no-such-package>=1"
    module.DMCVRReconstructionTest().runTest()  # as the panel's developer buttons do
    assert application.app.messages == [reason]


@pytest.mark.slow
def test_the_self_test_passes(application):
    """The one that Slicer runs, with the sample data made in a process of its own."""
    module = importlib.import_module("DMCVRReconstruction")
    module.DMCVRReconstructionTest().runTest()
    assert application.app.messages[-1] == "Test passed"
    assert slicer.util.getNode("DMCVR phantom LAX 4ch") is not None
