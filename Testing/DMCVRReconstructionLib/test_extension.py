"""What Slicer reads of the extension before any of its code runs."""

import importlib
import json
import re
import subprocess
import sys
import typing
from pathlib import Path
from xml.etree import ElementTree

import pytest
import slicer
from dmcvr.core.labels import COLOURS, NAMES
from dmcvr.core.terminology import TERMS
from DMCVRReconstructionLib.panel.parameter_node import DMCVRParameterNode
from DMCVRReconstructionLib.running import installation
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "DMCVRReconstruction"
LIB_FILES = sorted(
    path.relative_to(MODULE).as_posix() for path in MODULE.glob("DMCVRReconstructionLib/**/*.py")
)
LIB_MODULES = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in LIB_FILES]
# Slicer 5.12 brings none of them but scipy, which takes longer to import than its start-up should.
NOT_AT_START = ("torch", "scipy", "skimage", "safetensors", "tqdm", "PIL", "matplotlib", "nibabel", "nrrd")


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


def test_what_is_missing_is_found_without_importing_it(monkeypatch):
    assert installation.missing() == []
    monkeypatch.setattr(installation, "OTHERS", ("no-such-package>=1",))
    assert installation.missing() == ["no-such-package>=1"]


@pytest.mark.slow
def test_a_failed_installation_is_a_sentence(monkeypatch):
    """With pip's own failure, in a process of its own and from no index."""

    def pip(requirement):
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--no-index", "--quiet", requirement],
            check=True,
            capture_output=True,
        )

    monkeypatch.setattr(slicer.util, "pip_install", pip)
    with pytest.raises(installation.InstallationError, match="network connection"):
        installation.install(["no-such-package>=1"])


@pytest.mark.slow
def test_the_self_test_passes(application):
    """The one that Slicer runs, with the sample data made in a process of its own."""
    module = importlib.import_module("DMCVRReconstruction")
    test = module.DMCVRReconstructionTest()
    test.runTest()
    assert test.messages[-1] == "Test passed"
    assert slicer.util.getNode("DMCVR phantom LAX 4ch") is not None
