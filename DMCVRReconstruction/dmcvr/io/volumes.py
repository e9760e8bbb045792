"""Reading stacks, long-axis images and labels from NIfTI, NRRD and MetaImage files.

Slices lie along the third axis of a file and frames along the fourth, or along a list axis as in Slicer's
.seq.nrrd. ITK gives every format in LPS; slices are then sorted along step_x cross step_y, so a left-handed
file comes out right, each slice at its true place.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.errors import InputError
from ..core.frame_times import plausible_times, times_from_index
from ..core.geometry import Grid, padded
from ..core.labels import LVC, LVM, NAMES, remap, surrounded
from ..core.stack import Stack
from ..system.quiet import quiet
from .headers import SUFFIXES, check_claim, check_file, damaged, no_spacing
from .nrrd import SLICE_ORIGINS
from .sanity import check_stack


def read_stack(path: str | Path) -> Stack:
    """The SAX stack in a 3D or 4D file, or in a DICOM folder (its warnings go to ``warnings.warn``).

    Frame times below 1 between frames are taken for seconds unless the file names the unit; an implausible
    distance between frames, such as the default of 1, gives ``times=None``.
    Raises InputError where the path holds no plausible stack.
    """
    path = Path(path)
    if os.path.isdir(path):
        from .dicom.study import read_study  # pydicom, which files do not need

        study = read_study(path)
        for message in study.warnings:
            warnings.warn(message, stacklevel=2)
        return study.sax
    stack = _stack(_load(path))
    check_stack(stack)
    return stack


def read_grid(path: str | Path) -> Grid:
    """Where the voxels of a 3D or 4D file lie, slices in the file's own order, which ``read_stack`` may turn
    round. Raises InputError.
    """
    image = _load(Path(path))
    return _grid(image, _frames(image)[0].shape[1:])


def read_lax(path: str | Path) -> Stack:
    """One long-axis image, still or cine, from a file with usually one slice (S = 1). Raises InputError."""
    stack = _stack(_load(Path(path)))
    check_stack(stack, slices=1)
    return stack


def read_labels(path: str | Path, stack: Stack, values: tuple[int, int, int] = (1, 2, 3)) -> np.ndarray:
    """Labels of ``stack``'s slices, (T, S, H, W) uint8 in the project's order, T being 1 or the stack's own.

    values: the numbers in the file for (LVC, LVM, RVC). A Slicer segmentation (.seg.nrrd) with segments of
    these names tells its own numbers; it is resampled to the slices by nearest neighbour, as Slicer crops it.
    Raises InputError where the file does not fit the stack, holds other values, or seems to swap them.
    """
    image = _load(Path(path), "label")
    if image.HasMetaDataKey("Segment0_ID"):
        labels = remap(_sample_segmentation(image, stack), _segment_values(image, values))[None]
        if not labels.any():
            raise InputError("The segmentation holds none of LVC, LVM and RVC where the image slices are.")
    else:
        drawn = _stack(image)
        _check_fit(drawn, stack)
        found = set(np.unique(drawn.frames).tolist())
        if not found <= {0, *values}:
            other = ", ".join(f"{value:g}" for value in sorted(found - {0, *values})[:5])
            raise InputError(
                f"The label file holds values besides 0 and {values} (such as {other}); name the values of "
                "LVC, LVM and RVC with --label-values."
            )
        labels = remap(drawn.frames, values)
        if not labels.any():
            raise InputError("The label file is empty; give the file with the drawn labels.")
    _check_order(labels, values)
    return labels


def _load(path: Path, what: str = "image") -> sitk.Image:
    """``what`` the file is stands in messages for its name, which may be a patient's."""
    if not os.path.exists(path):  # where Path.exists raises for a name that is too long
        raise InputError(f"The {what} file or folder does not exist; check the path.")
    if not path.name.lower().endswith(SUFFIXES):
        raise InputError(
            f"The {what} file is none of {', '.join(SUFFIXES)}; convert it, or give a folder of DICOM files."
        )
    check_file(path, what)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with quiet():
            reader.ReadImageInformation()
            check_claim(path, reader, what)
            image: sitk.Image = reader.Execute()
            return image
    except RuntimeError as error:
        if "orthonormal" in str(error):
            raise InputError(
                f"The axes of the {what} file are not perpendicular; export it again."
            ) from error
        raise (no_spacing if "spacing" in str(error) else damaged)(what) from error


def _stack(image: sitk.Image) -> Stack:
    """The image's slices sorted along their normal."""
    array, times = _frames(image)
    grid = _grid(image, array.shape[1:])
    origins = grid.position(np.arange(grid.shape[0])[:, None] * [1, 0, 0])
    if written := _meta(image, SLICE_ORIGINS):
        try:
            origins = np.array([float(word) for word in written.split()]).reshape(origins.shape)
        except ValueError as error:
            raise damaged("image") from error
    stack = Stack(array.astype(np.float32, copy=False), origins, grid.step_x, grid.step_y, times)
    if grid.step_z @ np.cross(grid.step_x, grid.step_y) < 0:
        return stack.select(slices=np.arange(grid.shape[0])[::-1])
    return stack


def _grid(image: sitk.Image, shape: tuple[int, ...]) -> Grid:
    dimension = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(dimension, dimension)[:3, :3]
    steps = (direction * image.GetSpacing()[:3]).T
    return Grid.of_steps(np.array(image.GetOrigin()[:3]), steps, shape)


def _frames(image: sitk.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """(T, Z, Y, X) voxels and (T,) ms."""
    dimension, components = image.GetDimension(), image.GetNumberOfComponentsPerPixel()
    if dimension not in (3, 4):
        raise InputError("The image must have three dimensions, or four with time, to have a place in space.")
    if "complex" in image.GetPixelIDTypeAsString():
        raise InputError("The image holds complex numbers; give the magnitude images.")
    array = sitk.GetArrayFromImage(image)
    if components > 1:
        if dimension != 3 or _meta(image, "NRRD_kinds[pixel]") != "list":
            raise InputError("The image is in colour or holds vectors; give the greyscale cine images.")
        return np.moveaxis(array, -1, 0), _list_times(image, components)
    if dimension == 3:
        return array[None], None
    return array, plausible_times(np.arange(len(array)) * image.GetSpacing()[3])


def _list_times(image: sitk.Image, count: int) -> np.ndarray | None:
    """Frame times from the index values of a Slicer sequence, whose list axis may be first or last."""
    text = _meta(image, "axis 0 index values") or _meta(image, "axis 3 index values")
    return times_from_index(text.split(), count, _meta(image, "NRRD_units[pixel]"))


def _meta(image: sitk.Image, key: str) -> str:
    return image.GetMetaData(key) if image.HasMetaDataKey(key) else ""


def _segment_values(image: sitk.Image, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """The numbers of the segments named LVC, LVM and RVC, or ``values`` where none has such a name."""
    named, number = {}, 0
    while image.HasMetaDataKey(f"Segment{number}_ID"):
        name = (_meta(image, f"Segment{number}_Name") or _meta(image, f"Segment{number}_ID")).strip().upper()
        try:
            named[name] = int(_meta(image, f"Segment{number}_LabelValue") or number + 1)
        except ValueError as error:
            raise damaged("label") from error
        number += 1
    if not named.keys() & set(NAMES.values()):
        return values
    lvc, lvm, rvc = (named.get(name, -1) for name in NAMES.values())
    return lvc, lvm, rvc


def _sample_segmentation(image: sitk.Image, stack: Stack) -> np.ndarray:
    """(S, H, W) numbers of the segments at the stack's pixels."""
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise InputError(
            "The segments overlap; export them from Slicer as a labelmap, or remove the overlap."
        )
    array = sitk.GetArrayFromImage(image)
    # Rounding must not push pixels at the edge of a cropped segmentation outside.
    array, grid = padded(array, _grid(image, array.shape))
    return np.stack([grid.sample(array, stack.plane(s).points(), order=0) for s in range(len(stack.origins))])


def _check_fit(drawn: Stack, stack: Stack) -> None:
    """Raise InputError unless both have the same pixels in space."""
    advice = "give labels drawn on this very image."
    frames, *size = drawn.frames.shape
    if size != list(stack.frames.shape[1:]):
        theirs, ours = ("x".join(map(str, shape)) for shape in (size, stack.frames.shape[1:]))
        raise InputError(f"The labels have {theirs} voxels but the image has {ours}; {advice}")
    if frames not in (1, len(stack.frames)):
        raise InputError(f"The labels have {frames} frames but the image has {len(stack.frames)}; {advice}")
    corners = np.array([[0, 0], [0, size[2] - 1], [size[1] - 1, 0]])
    places = [s.origins[:, None] + corners @ np.array([s.step_y, s.step_x]) for s in (drawn, stack)]
    distance = np.linalg.norm(places[0] - places[1], axis=-1).max()
    if distance > 0.25 * min(stack.spacing):
        raise InputError(f"The labels lie up to {distance:.1f} mm away from the image's pixels; {advice}")


def _check_order(labels: np.ndarray, values: tuple[int, int, int]) -> None:
    """Raise InputError where not LVM but another label surrounds, or LVM surrounds not LVC but another."""
    order = list(NAMES)
    share = {(a, b): surrounded(labels, a, b) for a in order for b in order if a != b}
    inner, wall = max(share, key=share.__getitem__)
    if share[LVC, LVM] < 0.5 and share[inner, wall] > 0.7:
        rest = next(label for label in order if label not in (inner, wall))
        better = ",".join(str(values[order.index(label)]) for label in (inner, wall, rest))
        raise InputError(
            f"The labels seem to be swapped: {NAMES[inner]} lies inside {NAMES[wall]}; give the numbers "
            f"of LVC, LVM and RVC, probably --label-values {better}."
        )
