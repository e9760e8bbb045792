"""The development environment is what was pinned, to the last byte, but for torch, whose build the machine
decides; and whatever is imported is declared.
"""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).parents[2]
MODULE, BACKEND, TESTS = (
    ROOT / "DMCVRReconstruction",
    ROOT / "DMCVRReconstruction" / "dmcvr",
    ROOT / "Testing",
)
OURS = {path.stem for folder in (MODULE, TESTS, TESTS / "Benchmarks") for path in folder.iterdir()}
ONLY_IN_SLICER = {"PyTorchUtils", "SampleData", "qt"}
"""Modules of 3D Slicer and its extensions that no package index has."""


def normal(name: str) -> str:
    """A distribution's name as package indices spell it."""
    return re.sub("[-_.]+", "-", name).lower()


def pins(text: str) -> set[str]:
    """The pinned versions, with names as package indices spell them."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.M)
    return {f"{normal(name)}=={version}" for name, version in found}


def locked() -> str:
    return "".join(
        (ROOT / name).read_text() for name in ("requirements-lock.txt", "requirements-lock-source.txt")
    )


def test_every_pinned_version_but_torch_is_locked_by_hashes():
    wanted = {pin for pin in pins((ROOT / "constraints.txt").read_text()) if not pin.startswith("torch==")}
    assert len(wanted) > 15
    assert wanted <= pins(locked())


def test_every_locked_version_has_hashes_and_comes_from_no_named_place():
    text = re.sub(r"\\\n", " ", locked())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 50
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", line), line
    assert not re.search(r"https?:|file:|--index|--find-links|nvidia|^torch=", text, re.M)


def imported(path: Path) -> set[str]:
    """The packages and modules of others that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - OURS - ONLY_IN_SLICER


def declared(*extras: str) -> set[str]:
    """The distributions that pyproject.toml names as dependencies or in ``extras``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return {normal(re.match(r"[\w.-]+", item)[0]) for items in lists for item in items}


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        (set(BACKEND.rglob("*.py")), ("cohort", "dicom", "evaluate", "meshes", "train")),
        (set(MODULE.rglob("*.py")) - set(BACKEND.rglob("*.py")), ("slicer",)),
        (set(TESTS.rglob("*.py")), ("cohort", "dicom", "evaluate", "meshes", "slicer", "test", "train")),
    ],
    ids=["dmcvr", "DMCVRReconstruction", "Testing"],
)
def test_every_import_is_of_a_declared_dependency(files, extras):
    known = packages_distributions()
    names = set().union(*map(imported, files))
    assert "numpy" in names
    undeclared = {
        name for name in names if not declared(*extras) & {normal(item) for item in known.get(name, [name])}
    }
    assert not undeclared
