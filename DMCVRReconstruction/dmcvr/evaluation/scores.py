"""Sets of scores that several tables give."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from scipy import ndimage
from scipy.stats import spearmanr

from ..core.intensity import WINDOW_MM, stack_scale
from .metrics import dice, is_missing, psnr, sharpness, ssim, structures, surface_distances, voe

SMOOTHING_MM = 1.5
"""Of uncertainty and error, so that single pixels' noise does not decide how well they agree."""


def mask_scores(predicted: np.ndarray, true: np.ndarray, spacing: tuple[float, ...]) -> dict[str, float]:
    """Dice, VOE (%) and surface distances (mm) of two masks, by column name; see ``metrics``."""
    distances = surface_distances(predicted, true, spacing)
    return {
        "Dice": dice(predicted, true),
        "VOE %": voe(predicted, true),
        "ASD mm": distances.asd,
        "HD mm": distances.hd,
        "HD95 mm": distances.hd95,
        "ASSD mm": distances.assd,
        "ASSD mm (mean of means)": distances.assd_directed,
    }


def dice_by_structure(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Dice of "all", LVC, LVM and RVC."""
    pairs = zip(structures(predicted).items(), structures(true).values(), strict=True)
    return {name: dice(mask, other) for (name, mask), other in pairs}


def empty_masks(predicted: np.ndarray, true: np.ndarray) -> int:
    """How many of LVC, LVM and RVC are in one of the two label arrays only."""
    found, real = structures(predicted), structures(true)
    return sum(is_missing(found[name], real[name]) for name in found if name != "all")


@dataclass(frozen=True)
class ImageScale:
    """How the slices of one stack are normalised before they are compared.

    window: (H, W) bool, the square of ``intensity.WINDOW_MM`` about the heart: the field of view of the
    ``compact`` preset. inside: the intensity that is 1 there, as the model normalises. whole: the 99.5th
    percentile of all voxels of the stack, which is 1 for the whole slice. spacing: (x, y) mm.
    """

    window: np.ndarray
    inside: float
    whole: float
    spacing: tuple[float, float]

    @classmethod
    def of(cls, frame: np.ndarray, labels: np.ndarray, spacing: tuple[float, float]) -> ImageScale:
        """For a frame (S, H, W) with expert labels of the same shape; spacing: (x, y) mm."""
        centre = np.argwhere(labels > 0)[:, 1:].mean(0)
        reach = [WINDOW_MM / 2 / step for step in (spacing[1], spacing[0])]
        rows, columns = (
            np.abs(np.arange(n) - c) <= r for n, c, r in zip(frame.shape[1:], centre, reach, strict=True)
        )
        return cls(
            rows[:, None] & columns,
            stack_scale(frame, tuple(centre), spacing),
            float(np.percentile(frame, 99.5)) or 1.0,
            spacing,
        )

    def doubt(self, spread: np.ndarray, image: np.ndarray, true: np.ndarray) -> dict[str, float]:
        """Mean uncertainty and mean absolute error in the window, and their rank correlation over its pixels.

        spread: (H, W) standard deviation of the image's intensity. All are smoothed by SMOOTHING_MM.
        """
        sigma = [SMOOTHING_MM / step for step in self.spacing[::-1]]
        mine, real = (np.clip(item / self.inside, 0, 1) for item in (image, true))
        error, spread = (
            ndimage.gaussian_filter(item, sigma)[self.window]
            for item in (np.abs(mine - real), spread / self.inside)
        )
        return {
            "uncertainty": float(spread.mean()),
            "error": float(error.mean()),
            "rank correlation": float(spearmanr(spread, error).statistic),
        }

    def scores(self, image: np.ndarray, true: np.ndarray) -> dict[str, float]:
        """PSNR (dB), SSIM and sharpness as a share of the true slice's in the window, and PSNR of the whole
        slice (H, W), intensities clipped to [0, 1].
        """
        mine, real = (np.clip(item / self.inside, 0, 1) for item in (image, true))
        all_mine, all_real = (np.clip(item / self.whole, 0, 1) for item in (image, true))
        return {
            "PSNR dB": psnr(mine, real, self.window),
            "SSIM": ssim(mine, real, self.window),
            "sharpness": sharpness(mine, self.window) / (sharpness(real, self.window) or nan),
            "PSNR dB (whole slice)": psnr(all_mine, all_real),
        }


NO_IMAGE = dict.fromkeys(("PSNR dB", "SSIM", "sharpness", "PSNR dB (whole slice)"), nan)
