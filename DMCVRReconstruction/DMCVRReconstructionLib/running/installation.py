"""The Python packages that the reconstruction requires and Slicer lacks; installed with consent only."""

from __future__ import annotations

import os
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version

import slicer
from slicer.i18n import tr as _

from .errors import InstallationError

# PyTorch 2.13 has failed under Slicer for Windows, whose paths become too long.
TORCH = "torch>=2.4,<2.13" if os.name == "nt" else "torch>=2.4"
OTHERS = ("nibabel>=5.2", "pynrrd>=1.0", "safetensors>=0.4", "scikit-image>=0.22", "tqdm>=4.60")


def missing() -> list[str]:
    """The requirements of which no version is installed; nothing is imported to find out."""
    return [requirement for requirement in (TORCH, *OTHERS) if not _isInstalled(_name(requirement))]


def install(requirements: list[str]) -> None:
    """Install ``requirements`` into Slicer's Python, with Slicer's own progress window.

    For the panel, after the user has agreed: it takes minutes. If the PyTorch extension is installed, it
    installs PyTorch, as it finds the build that fits the GPU. Raises InstallationError.
    """
    try:
        for requirement in requirements:
            if _name(requirement) == "torch" and hasattr(slicer.modules, "pytorchutils"):
                _installTorch(requirement)
            else:
                slicer.util.pip_install(requirement)
    except (subprocess.CalledProcessError, RuntimeError, ImportError, OSError) as error:
        raise InstallationError(
            _(
                "The packages could not be installed. Without a network connection, install them from local "
                "files as described in SLICER.md; otherwise see pip's messages in the log."
            ),
            str(error),
        ) from error
    if left := missing():
        raise InstallationError(
            _("These packages are still missing: {names}.").format(names=", ".join(map(_name, left)))
        )


def _installTorch(requirement: str) -> None:
    import PyTorchUtils

    installed = PyTorchUtils.PyTorchUtilsLogic().installTorch(
        askConfirmation=False, torchVersionRequirement=requirement.removeprefix("torch")
    )
    if installed is None:
        raise RuntimeError("PyTorch was not installed")


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~ ]", requirement)[0]


def _isInstalled(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
