"""The Python packages that the reconstruction requires and Slicer lacks; installed with consent only."""

from __future__ import annotations

import os
import subprocess

import slicer
import slicer.packaging
from slicer.i18n import tr as _

from .errors import InstallationError

# PyTorch 2.13 has failed under Slicer for Windows, whose paths become too long.
TORCH = "torch>=2.4,<2.13" if os.name == "nt" else "torch>=2.4"
OTHERS = (
    "jinja2>=3.1",
    "nibabel>=5.2",
    "pynrrd>=1.0",
    "safetensors>=0.4",
    "scikit-image>=0.22",
    "tqdm>=4.60",
)


def missing() -> list[str]:
    """The requirements that are not installed or too old; nothing is imported to find out."""
    return [requirement for requirement in (TORCH, *OTHERS) if not slicer.packaging.pip_check(requirement)]


def install(requirements: list[str]) -> None:
    """Install ``requirements`` into Slicer's Python in one run of pip, with Slicer's own progress window.

    For the panel, after the user has agreed: it takes minutes. If the PyTorch extension is installed, it
    installs PyTorch beforehand, as it finds the build that fits the GPU. Slicer offers to restart if packages
    that are in use were updated. Raises InstallationError.
    """
    others = list(requirements)
    try:
        if TORCH in others and hasattr(slicer.modules, "pytorchutils"):
            others.remove(TORCH)
            with slicer.util.WaitCursor():
                _installTorch()
        slicer.packaging.pip_ensure(others, prompt_install=False, requester="DMCVR")
    except (subprocess.CalledProcessError, RuntimeError, ImportError, OSError) as error:
        raise InstallationError(
            _(
                "The packages could not be installed. Without a network connection, install them from local "
                "files as described in SLICER.md; otherwise see pip's messages in the log."
            ),
            str(error),
        ) from error
    if left := missing():
        raise InstallationError(_("These packages are still missing: {names}.").format(names=", ".join(left)))


def _installTorch() -> None:
    import PyTorchUtils

    installed = PyTorchUtils.PyTorchUtilsLogic().installTorch(
        askConfirmation=False, torchVersionRequirement=TORCH.removeprefix("torch")
    )
    if installed is None:
        raise RuntimeError("PyTorch was not installed")
