"""What `dmcvr.reconstruct` and `dmcvr.segment` give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..output.result_formats import Formats

if TYPE_CHECKING:
    import os

    import numpy as np
    import SimpleITK as sitk

    from ..anatomy.surfaces import Surface
    from ..core.geometry import Grid
    from ..core.stack import Stack
    from ..output.record import RunRecord
    from ..reconstruction.result import Reconstruction

_FORMATS = Formats()


@dataclass(frozen=True, repr=False)
class Result:
    """A reconstructed heart.

    - `heart`: all that the pipeline gives, see `dmcvr.reconstruction.result.Reconstruction`.
    - `record`: what `result.json` holds: volumes, function, shifts of slices, options, versions, warnings.
    - `lax`: the long-axis images that were used.
    """

    heart: Reconstruction
    record: RunRecord
    lax: tuple[Stack, ...] = ()

    @property
    def volume(self) -> np.ndarray:
        """(T, Z, Y, X) float32, intensities as in the source."""
        return self.heart.volume

    @property
    def labels(self) -> np.ndarray:
        """(T, Z, Y, X) uint8: 0 background, 1 LVC, 2 LVM, 3 RVC."""
        return self.heart.labels

    @property
    def grid(self) -> Grid:
        """Where the voxels lie; `grid.affine` takes (x, y, z, 1) to LPS mm."""
        return self.heart.grid

    def surfaces(self) -> dict[str, Surface]:
        """LV endocardium, LV epicardium and RV endocardium as closed triangle meshes, by the names
        "lv_endocardium", "lv_epicardium" and "rv_endocardium".

        Each has `points` (T, N, 3), LPS mm, the same vertices in every frame, and `triangles` (M, 3),
        oriented outward. They enclose the volumes of the labels. Raises InputError where the extra "meshes"
        is not installed.
        """
        from ..anatomy.surfaces import surfaces

        return surfaces(self.labels, self.grid, self.record.ed or 0)

    def to_sitk(self) -> tuple[sitk.Image, sitk.Image]:
        """Volume and labels as SimpleITK images: of three dimensions for one frame, of four for several, the
        fourth being time in ms.
        """
        from ..io.in_memory import to_sitk

        times = self.heart.stack.times
        return to_sitk(self.volume, self.grid, times), to_sitk(self.labels, self.grid, times)

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        format: str = _FORMATS.images,
        meshes: str | None = _FORMATS.meshes,
    ) -> None:
        """Write what `dmcvr reconstruct` writes into `folder`: whole, or not at all.

        - `format`: "nrrd" or "nifti", of volume, labels and uncertainty.
        - `meshes`: "vtp", "stl" or "ply" for surfaces of the ventricles as well, see `surfaces`.

        Raises InputError where a file there is not of this program, or the folder cannot be written to.
        """
        from ..output.files import result_folder, write_reconstruction

        formats = Formats(format, meshes)
        with result_folder(Path(folder)) as staged:
            write_reconstruction(staged, self.heart, self.record, self.lax, formats)

    def __repr__(self) -> str:
        frames, *shape = self.volume.shape
        size = " x ".join(str(count) for count in reversed(shape))
        spacing = " x ".join(f"{step:.2f}" for step in self.grid.spacing)
        volumes = ", ".join(f"{name} {ml:.0f} ml" for name, ml in self.record.volumes[0].items())
        return (
            f"<dmcvr.Result by {self.record.method}: {frames} frame{'s' if frames > 1 else ''} of {size} "
            f"voxels of {spacing} mm; {volumes}>"
        )


@dataclass(frozen=True, repr=False)
class Segmentation:
    """Labels of the acquired slices.

    - `labels`: (T, Z, Y, X) uint8: 0 background, 1 LVC, 2 LVM, 3 RVC.
    - `grid`: where the voxels lie, the source's own grid.
    - `times`: (T,) ms, or None where the source does not say.
    - `notes`: plain sentences on what is odd about the source.
    """

    labels: np.ndarray
    grid: Grid
    times: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def to_sitk(self) -> sitk.Image:
        """The labels as a SimpleITK image of three dimensions, or of four for a cine."""
        from ..io.in_memory import to_sitk

        return to_sitk(self.labels, self.grid, self.times)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the labels to `path`, .nrrd, .nii or .nii.gz. Raises InputError for other names, and where a
        file lies there that is not of this program.
        """
        from ..io.image_writer import write_frames
        from ..output.files import label_file

        with label_file(Path(path)) as staged:
            write_frames(staged, self.labels, self.grid, self.times, labels=True)

    def __repr__(self) -> str:
        frames, slices, height, width = self.labels.shape
        return (
            f"<dmcvr.Segmentation: {slices} slices of {width} x {height} pixels in {frames} "
            f"frame{'s' if frames > 1 else ''}>"
        )
