"""Writing triangle meshes as VTP, STL or PLY files by VTK. Each says that its coordinates are LPS, in the way
that 3D Slicer reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SPACE, LPS = "SPACE", "LPS"


def write_mesh(path: Path, points: np.ndarray, triangles: np.ndarray) -> None:
    """Write a mesh of ``points`` (N, 3) LPS mm and ``triangles`` (M, 3) to ``path``, .vtp, .stl or .ply, in
    binary form. VTK must be installed.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints, vtkStringArray
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    writer = _writer(path.suffix.lower())
    places, cells, mesh, space = vtkPoints(), vtkCellArray(), vtkPolyData(), vtkStringArray()
    places.SetData(numpy_to_vtk(np.ascontiguousarray(points, np.float32), deep=True))
    corners = np.ascontiguousarray(triangles, np.int64).ravel()
    cells.SetData(3, numpy_to_vtkIdTypeArray(corners, deep=True))
    mesh.SetPoints(places)
    mesh.SetPolys(cells)
    space.SetName(SPACE)
    space.InsertNextValue(LPS)
    mesh.GetFieldData().AddArray(space)
    writer.SetInputData(mesh)
    writer.SetFileName(str(path))
    if not writer.Write():
        raise OSError(f"{path.name} could not be written")


def _writer(suffix: str) -> Any:
    """VTK's writer of files that end in ``suffix``."""
    if suffix == ".vtp":
        from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

        return vtkXMLPolyDataWriter()
    if suffix == ".stl":
        from vtkmodules.vtkIOGeometry import vtkSTLWriter

        stl = vtkSTLWriter()
        stl.SetHeader(f"{SPACE}={LPS}")
        stl.SetFileTypeToBinary()
        return stl
    if suffix == ".ply":
        from vtkmodules.vtkIOPLY import vtkPLYWriter

        ply = vtkPLYWriter()
        ply.AddComment(f"{SPACE}={LPS}")
        ply.SetFileTypeToBinary()
        return ply
    raise ValueError(f"meshes are not written as {suffix}")
