"""Table 1 as the paper's numbers were most probably made, for comparison with these alone.

Intensities are clipped at the 98th percentile of the volume, PSNR is of all slices of a stack at once, and
surface distances are counted in pixels as if slices lay one pixel apart. The project's own scores are those
of ``metrics``: a normalisation that does not depend on what surrounds the heart, and mm.
"""

from __future__ import annotations

import numpy as np

from .metrics import psnr, ssim, surface_distances
from .summary import Column

PERCENTILE = 98
COLUMNS = (
    Column("paper: PSNR dB", 2),
    Column("paper: SSIM"),
    Column("paper: ASD voxels", 3),
    Column("paper: HD voxels", 2),
    Column("paper: ASSD voxels", 3),
)
NOTE = (
    'Columns that begin with "paper:" are for comparison with the paper only: intensities clipped at the '
    "volume's 98th percentile, PSNR of all slices at once, distances in voxels with unit spacing. They are "
    "of the model's field of view, as no more is generated."
)


def paper_distances(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Surface distances in voxels of two masks (S, H, W), by column name."""
    distances = surface_distances(predicted, true, (1.0, 1.0, 1.0))
    return {
        "paper: ASD voxels": distances.asd,
        "paper: HD voxels": distances.hd,
        "paper: ASSD voxels": distances.assd,
    }


def paper_quality(images: np.ndarray, true: np.ndarray, white: float) -> dict[str, float]:
    """PSNR of all slices (S, H, W) together and mean SSIM, by column name.

    white: the volume's 98th percentile, in the unit of the images.
    """
    mine, real = (np.clip(item / white, 0, 1) for item in (images, true))
    return {
        "paper: PSNR dB": psnr(mine, real),
        "paper: SSIM": float(np.mean([ssim(*pair) for pair in zip(mine, real, strict=True)])),
    }
