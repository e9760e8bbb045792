"""The ventricles' surfaces as files, one a structure and frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..anatomy.surfaces import surfaces
from ..io.meshes import write_mesh
from .record import RunRecord

if TYPE_CHECKING:
    from ..reconstruction.result import Reconstruction

MESHES = "mesh_*.*"


def write_surfaces(folder: Path, result: Reconstruction, record: RunRecord, suffix: str) -> None:
    """Write ``mesh_lv_endocardium.vtp`` and so on into ``folder``; of several frames one file each, numbered
    by the input's frames, with the same vertices in the same order: those of end-diastole, deformed.
    """
    several = len(result.frames) > 1
    for name, surface in surfaces(result.labels, result.grid, record.ed or 0).items():
        for frame, points in zip(result.frames, surface.points, strict=True):
            number = f"_{frame:03d}" if several else ""
            write_mesh(folder / f"mesh_{name}{number}{suffix}", points, surface.triangles)
