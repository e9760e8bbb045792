"""Writing triangle meshes as VTP, STL or PLY files by VTK. Each says that its coordinates are LPS, in the way
that 3D Slicer reads.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SPACE = "SPACE=LPS"


def write_mesh(path: Path, points: np.ndarray, triangles: np.ndarray) -> None:
    """Write a mesh of ``points`` (N, 3) LPS mm and ``triangles`` (M, 3) to ``path``, .vtp, .stl or .ply, in
    binary form. VTK must be installed.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints, vtkStringArray
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkIOGeometry import vtkSTLWriter
    from vtkmodules.vtkIOPLY import vtkPLYWriter
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    places, cells, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    places.SetData(numpy_to_vtk(np.ascontiguousarray(points, np.float32), deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(triangles, np.int64).ravel(), deep=True))
    mesh.SetPoints(places)
    mesh.SetPolys(cells)
    suffix = path.suffix.lower()
    if suffix == ".vtp":
        writer = vtkXMLPolyDataWriter()
        space = vtkStringArray()
        space.SetName("SPACE")
        space.InsertNextValue("LPS")
        mesh.GetFieldData().AddArray(space)
    elif suffix == ".stl":
        writer = vtkSTLWriter()
        writer.SetHeader(SPACE)
        writer.SetFileTypeToBinary()
    elif suffix == ".ply":
        writer = vtkPLYWriter()
        writer.AddComment(SPACE)
        writer.SetFileTypeToBinary()
    else:
        raise ValueError(f"meshes are not written as {suffix}")
    writer.SetInputData(mesh)
    writer.SetFileName(str(path))
    if not writer.Write():
        raise OSError(f"{path.name} could not be written")
