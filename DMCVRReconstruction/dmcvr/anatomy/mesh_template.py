"""A closed triangle mesh of the zero of a field, by VTK: flying edges (Schroeder et al., LDAV 2015) and the
windowed sinc filter (Taubin et al., ECCV 1996).
"""

from __future__ import annotations

import importlib.util

import numpy as np
from scipy import ndimage

from ..core.errors import InputError

EDGE_MM = 2.0
"""Of the lattice on which the surface is found: vertices lie about this far apart."""
ITERATIONS, PASS_BAND = 15, 0.1
HINT = 'Surfaces need vtk, which is not installed: pip install "dmcvr[meshes]" adds it.'


def check_vtk() -> None:
    """Raise InputError where VTK is not installed."""
    if importlib.util.find_spec("vtkmodules") is None:
        raise InputError(HINT)


def template_mesh(values: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest piece of the surface where ``values`` (Z, Y, X), positive inside, are 0.

    spacing: (3,) mm, z, y, x. Returns points (N, 3) mm, z, y, x from the first voxel, and triangles (M, 3).
    Raises InputError where VTK is not installed.
    """
    check_vtk()
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import (
        vtkCleanPolyData,
        vtkFlyingEdges3D,
        vtkPolyDataConnectivityFilter,
        vtkWindowedSincPolyDataFilter,
    )

    lattice = _on_lattice(values, spacing)
    image = vtkImageData()
    image.SetDimensions(lattice.shape[::-1])
    image.SetSpacing(EDGE_MM, EDGE_MM, EDGE_MM)
    image.GetPointData().SetScalars(numpy_to_vtk(lattice.ravel(), deep=True))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.0)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    largest = vtkPolyDataConnectivityFilter()
    largest.SetInputConnection(edges.GetOutputPort())
    largest.SetExtractionModeToLargestRegion()
    # Points of other pieces are left without triangles.
    clean = vtkCleanPolyData()
    clean.SetInputConnection(largest.GetOutputPort())
    clean.PointMergingOff()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(clean.GetOutputPort())
    smooth.SetNumberOfIterations(ITERATIONS)
    smooth.SetPassBand(PASS_BAND)
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    mesh = smooth.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float)[:, ::-1]
    triangles = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)
    return points, triangles


def _on_lattice(values: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """``values`` every EDGE_MM along all axes."""
    shape = np.floor((np.array(values.shape) - 1) * spacing / EDGE_MM).astype(int) + 1
    lattice: np.ndarray = ndimage.affine_transform(
        values, EDGE_MM / spacing, output_shape=tuple(shape), order=3, mode="nearest"
    )
    return lattice
