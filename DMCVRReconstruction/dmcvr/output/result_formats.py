"""In which formats a result is written. Imports nothing, so that the command line may name them."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import InputError

IMAGE_SUFFIXES = {"nrrd": ".nrrd", "nifti": ".nii.gz"}
"""Suffix of image files by the format's name."""
MESH_FORMATS = ("vtp", "stl", "ply")


@dataclass(frozen=True)
class Formats:
    """Formats of a result. Raises InputError for those that are not known.

    images: of volume, labels and uncertainty, one of IMAGE_SUFFIXES. meshes: of surfaces, one of
    MESH_FORMATS, None for no surfaces.
    """

    images: str = "nrrd"
    meshes: str | None = None

    def __post_init__(self) -> None:
        for what, value, known in (
            ("image format", self.images, tuple(IMAGE_SUFFIXES)),
            ("mesh format", self.meshes, (None, *MESH_FORMATS)),
        ):
            if value not in known:
                names = ", ".join(name for name in known if name)
                raise InputError(f"There is no {what} {value!r}; choose one of {names}.")

    @property
    def image_suffix(self) -> str:
        """Of image files, with its dots."""
        return IMAGE_SUFFIXES[self.images]
