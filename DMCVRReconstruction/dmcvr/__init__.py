"""DMCVR: 3D hearts from sparse cine MR stacks by a morphology-guided diffusion model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .system.processors import prepare_threads

__version__ = "0.1.0"
__all__ = ["__version__", "reconstruct"]

# Here, since every way to torch within the package begins with this module.
prepare_threads()

if TYPE_CHECKING:
    from .reconstruction.pipeline import reconstruct
else:

    def __getattr__(name):
        """`reconstruct` on its first use: its module imports torch, which takes seconds."""
        if name == "reconstruct":
            from .reconstruction.pipeline import reconstruct

            return reconstruct
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
