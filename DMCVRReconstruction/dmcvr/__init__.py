"""DMCVR: 3D hearts from sparse cine MR stacks by a morphology-guided diffusion model."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "reconstruct"]

if TYPE_CHECKING:
    from .reconstruction.result import Reconstruction


def reconstruct(*arguments, **options) -> Reconstruction:
    """Reconstruct a stack; see ``reconstruction.pipeline``. Torch is imported on the first call."""
    from .reconstruction.pipeline import reconstruct as run

    return run(*arguments, **options)
