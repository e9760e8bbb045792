"""The statistical shape model of whole hearts at end-diastole, as a folder of files.

`shape_model.npz` holds control points, the momenta that deform the mean heart into each subject, and their
principal modes; `labels_1mm/mean.nii.gz` the mean heart's parts. The folder is not part of the project.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.geometry import Grid
from ...io.formats import read_image_file
from ...io.volumes import sorted_stack
from .flow import shoot
from .heart_shape import Shape, find_landmarks
from .tissues import fill_blood, read_tissues

MARGIN_MM = 16.0  # round a deformed heart, for a right ventricle that is made larger
KEYS = ("control_points", "kernel_width", "n_steps", "momenta", "mean_momenta", "modes", "mode_sd")


@dataclass(frozen=True)
class ShapeModel:
    """Hearts as deformations of a mean one.

    mean: the mean heart, on a lattice along the axes of space, LPS mm.
    control_points: (N, 3) mm. subjects: (P, N, 3) momenta of the real hearts. mean_momenta: (N, 3).
    modes: (M, N, 3), with standard deviations mode_sd (M,). kernel_width: mm. steps: of Euler's rule.
    """

    mean: Shape
    control_points: np.ndarray
    subjects: np.ndarray
    mean_momenta: np.ndarray
    modes: np.ndarray
    mode_sd: np.ndarray
    kernel_width: float
    steps: int

    def random_momenta(self, rng: np.random.Generator) -> np.ndarray:
        """(N, 3) momenta of a heart drawn from the model."""
        weights = rng.standard_normal(len(self.modes)) * self.mode_sd
        return self.mean_momenta + np.tensordot(weights, self.modes, 1)

    def leaving_out(self, subjects: Sequence[int]) -> ShapeModel:
        """The same model made of the other subjects alone: their mean and how they deviate from it."""
        kept = np.delete(self.subjects, list(subjects), 0)
        mean = kept.mean(0)
        modes = (kept - mean) / np.sqrt(len(kept) - 1)
        return replace(self, subjects=kept, mean_momenta=mean, modes=modes, mode_sd=np.ones(len(kept)))

    def deform(self, momenta: np.ndarray) -> Shape:
        """The heart that ``momenta`` (N, 3) make of the mean one, on a lattice as fine as the mean's.

        Each voxel has the tissue of the voxel that the deformation takes there.
        """
        flow = shoot(self.control_points, momenta, self.kernel_width, self.steps)
        heart = np.argwhere(self.mean.tissues > 0)
        ends = flow.carry(self.mean.grid.position(heart[::997]))
        spacing = self.mean.grid.spacing[0]
        low = np.floor(ends.min(0) - MARGIN_MM)
        shape = np.ceil((ends.max(0) + MARGIN_MM - low) / spacing)[::-1] + 1
        grid = Grid.of_steps(low, np.eye(3) * spacing, shape)
        tissues = self.mean.grid.sample(self.mean.tissues, flow.origins(grid), order=0)
        return Shape(tissues, grid, flow.carry(self.mean.landmarks))


def read_shape_model(folder: Path) -> ShapeModel:
    """Read the model in ``folder``. InputError where the folder holds none."""
    folder = Path(folder)
    path, mean_path = folder / "shape_model.npz", folder / "labels_1mm" / "mean.nii.gz"
    if not path.is_file() or not mean_path.is_file():
        raise InputError("The folder for --hearts lacks shape_model.npz or labels_1mm/mean.nii.gz.")
    try:
        with np.load(path) as file:
            arrays = {key: file[key] for key in KEYS}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError("The shape model's shape_model.npz is damaged or of another kind.") from error
    file = read_image_file(mean_path, "label", lambda message: None)
    grid = file.grid
    if not np.allclose(grid.affine[:3, :3], np.eye(3) * grid.spacing[0]):
        raise InputError("The voxels of the mean heart's label volume must be cubes along the axes of space.")
    tissues = fill_blood(read_tissues(sorted_stack(file).frames[0]), grid.spacing[0])
    try:
        landmarks = find_landmarks(tissues, grid)
    except ValueError as error:
        raise InputError(
            "The mean heart's label volume lacks a valve between two of its chambers."
        ) from error
    return ShapeModel(
        Shape(tissues, grid, landmarks),
        arrays["control_points"].astype(float),
        arrays["momenta"],
        arrays["mean_momenta"],
        arrays["modes"],
        arrays["mode_sd"],
        float(arrays["kernel_width"]),
        int(arrays["n_steps"]),
    )
