"""Overlap, surface distance, volume and image metrics, as every table of the project uses them.

Masks are boolean arrays (H, W) or (Z, H, W), spacing is (x, y) or (x, y, z) in mm. A structure empty in both
masks has no score: nan. Empty in one, it scores Dice 0 and VOE 100, and its surface distances are nan.
Whoever averages counts the nans and reports how many there were; `is_missing` tells the second case from
the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10, nan

import numpy as np
from scipy import ndimage
from skimage.metrics import structural_similarity

from ..core.labels import BACKGROUND, NAMES


def structures(labels: np.ndarray) -> dict[str, np.ndarray]:
    """The masks the tables score: "all" (any of the three labels), then LVC, LVM and RVC."""
    return {"all": labels != BACKGROUND} | {name: labels == label for label, name in NAMES.items()}


def is_missing(predicted: np.ndarray, true: np.ndarray) -> bool:
    """Whether exactly one of the masks is empty: the structure was missed, or made up."""
    return bool(predicted.any() != true.any())


def dice(predicted: np.ndarray, true: np.ndarray) -> float:
    """2 |A & B| / (|A| + |B|), in [0, 1]; nan if both masks are empty."""
    total = int(predicted.sum()) + int(true.sum())
    return 2 * int((predicted & true).sum()) / total if total else nan


def voe(predicted: np.ndarray, true: np.ndarray) -> float:
    """Volumetric overlap error 100 (1 - |A & B| / |A | B|), in %; nan if both masks are empty."""
    union = int((predicted | true).sum())
    return 100 * (1 - int((predicted & true).sum()) / union) if union else nan


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between the surfaces of a predicted and a true mask, in mm; all nan if either mask is empty.

    asd: mean distance from the predicted surface's voxels to the true surface.
    assd: mean over the voxels of both surfaces, each to the other surface (pooled).
    assd_directed: mean of the two directed means, so that both surfaces weigh the same whatever their size.
    hd: the largest distance in either direction.
    hd95: the larger of the two directed 95th percentiles (linear between ranks).
    """

    asd: float
    assd: float
    assd_directed: float
    hd: float
    hd95: float


def surface(mask: np.ndarray) -> np.ndarray:
    """The foreground voxels with a face neighbour outside; beyond the array is outside."""
    return mask & ~ndimage.binary_erosion(mask)


def surface_distances(
    predicted: np.ndarray, true: np.ndarray, spacing: tuple[float, ...]
) -> SurfaceDistances:
    """Distances in mm between the surface voxels' centres; see `SurfaceDistances`."""
    if predicted.shape != true.shape or predicted.ndim != len(spacing):
        raise ValueError("both masks need one shape, and spacing one value for each of their axes")
    if not (predicted.any() and true.any()):
        return SurfaceDistances(nan, nan, nan, nan, nan)
    window = ndimage.find_objects((predicted | true).astype(np.uint8))[0]
    found, real = (surface(np.pad(mask[window], 1)) for mask in (predicted, true))
    forward, backward = _distances(found, real, spacing), _distances(real, found, spacing)
    return SurfaceDistances(
        asd=float(forward.mean()),
        assd=float(np.concatenate([forward, backward]).mean()),
        assd_directed=float((forward.mean() + backward.mean()) / 2),
        hd=float(max(forward.max(), backward.max())),
        hd95=float(max(np.percentile(forward, 95), np.percentile(backward, 95))),
    )


def _distances(source: np.ndarray, target: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Distances in mm from every voxel of the surface ``source`` to the nearest voxel of ``target``."""
    return ndimage.distance_transform_edt(~target, sampling=spacing[::-1])[source]


def psnr(image: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB of one slice (H, W), for intensities normalised to [0, 1].

    mask: (H, W) bool, the field of view to score; everywhere if None. inf for equal images.
    """
    difference = np.asarray(image, float) - np.asarray(reference, float)
    error = float(np.mean(np.square(difference if mask is None else difference[mask])))
    return -10 * log10(error) if error > 0 else inf


def sharpness(image: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Mean length of the gradient of one slice (H, W) between neighbouring pixels, in intensities a pixel.

    mask: (H, W) bool, the field of view to score; everywhere if None.
    """
    image = np.asarray(image, float)
    lengths = np.hypot(np.diff(image, axis=0)[:, :-1], np.diff(image, axis=1)[:-1])
    return float(lengths.mean() if mask is None else lengths[mask[:-1, :-1]].mean())


def ssim(image: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Structural similarity of one slice (H, W), for intensities normalised to [0, 1].

    scikit-image with its default 7 x 7 uniform window and a data range of 1. mask: (H, W) bool, the field of
    view over which the local similarity is averaged; scikit-image's own average, which leaves out the border,
    if None.
    """
    mean, similarity = structural_similarity(
        np.asarray(image, float), np.asarray(reference, float), data_range=1.0, full=True
    )
    return float(mean if mask is None else similarity[mask].mean())
