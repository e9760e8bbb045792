"""Finding and installing what Slicer lacks. Nothing is installed here."""

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import slicer
from DMCVRReconstructionLib.running import installation

PYPROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"
BROUGHT = {"numpy", "pillow", "pydicom", "scipy", "SimpleITK"}  # by Slicer 5.12
WANTED = ["no-such-package>=1", "none-either>=2.5"]

pytestmark = pytest.mark.usefixtures("application")


def name(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0]


@pytest.fixture
def runs(monkeypatch):
    """The lists of packages that pip was run for; a question to the user fails."""
    runs = []
    monkeypatch.setattr(slicer.packaging, "pip_install", lambda wanted, **_: runs.append(list(wanted)))
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_, **__: pytest.fail("asked"))
    return runs


def test_requirements_are_those_of_the_package_that_slicer_lacks():
    listed = re.search(r"^dependencies = \[(.*?)\]", PYPROJECT.read_text(), re.M | re.S)[1]
    wanted = {
        name(line.strip().strip('",')): line.strip().strip('",') for line in listed.split(",\n") if line
    }
    wanted = {key: value for key, value in wanted.items() if key not in BROUGHT}
    found = {name(requirement): requirement for requirement in (installation.TORCH, *installation.OTHERS)}
    assert {key: value.split(",")[0] for key, value in found.items()} == wanted


def test_the_commands_for_offline_use_name_all_of_them():
    text = (PYPROJECT.parent / "Resources/Documentation/SLICER.md").read_text()
    wanted = {name(requirement) for requirement in (installation.TORCH, *installation.OTHERS)}
    for command in re.findall(r"^\S+ -m pip .*$", text, re.M):
        words = {name(word.strip('"')) for word in command.split() if re.match(r'"?\w', word)}
        assert wanted <= words, command


def test_what_is_not_installed_or_too_old_is_missing(monkeypatch):
    assert installation.missing() == []
    monkeypatch.setattr(installation, "OTHERS", ("no-such-package>=1", "numpy>=1.26"))
    assert installation.missing() == ["no-such-package>=1"]
    monkeypatch.setattr(installation, "TORCH", "torch>=999")
    assert installation.missing() == ["torch>=999", "no-such-package>=1"]


def test_pip_runs_once_and_without_a_question(monkeypatch, runs):
    monkeypatch.setattr(installation, "OTHERS", (*WANTED, "numpy>=1.26"))
    with pytest.raises(installation.InstallationError, match="still missing: no-such-package>=1, none"):
        installation.install(installation.missing())
    assert runs == [WANTED]


def test_the_pytorch_extension_chooses_the_build(monkeypatch, runs):
    asked = []

    class Logic:
        def installTorch(self, askConfirmation, torchVersionRequirement):
            asked.append((askConfirmation, torchVersionRequirement))
            return ModuleType("torch")

    monkeypatch.setattr(slicer.modules, "pytorchutils", SimpleNamespace(), raising=False)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=Logic))
    monkeypatch.setattr(installation, "TORCH", "torch>=999")
    monkeypatch.setattr(installation, "OTHERS", tuple(WANTED))
    with pytest.raises(installation.InstallationError, match="still missing: torch>=999"):
        installation.install(installation.missing())
    assert asked == [(False, ">=999")]
    assert runs == [WANTED]


@pytest.mark.slow
def test_a_failed_installation_is_a_sentence(monkeypatch):
    """With pip's own failure, in a process of its own and from no index."""

    def pip(requirements, **_):
        command = [sys.executable, "-m", "pip", "install", "--no-index", "--quiet", *requirements]
        subprocess.run(command, check=True, capture_output=True)

    monkeypatch.setattr(slicer.packaging, "pip_install", pip)
    with pytest.raises(installation.InstallationError, match="network connection"):
        installation.install(["no-such-package>=1"])
