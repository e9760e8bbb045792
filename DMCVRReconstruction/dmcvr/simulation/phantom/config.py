"""What a phantom is made from: one patient's heart, body and scan, in physical units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...core.errors import InputError

CONDITIONS = ("normal", "dilated", "hypertrophic", "small", "thin")


@dataclass(frozen=True)
class PhantomConfig:
    """One phantom. Lengths in mm, volumes in ml, angles in degrees.

    edv_ml, ef: end-diastolic volume and ejection fraction (0-1) of the LV cavity, papillary muscles included.
    wall_mm: lateral LV wall at the base at ED; septal_ratio: septum relative to it.
    elongation: LV length over the cube root of its volume; 1.73 is normal, less is rounder.
    rv_ratio: RV over LV end-diastolic volume.
    azimuth_deg, elevation_deg: the apex points this far left of anterior, and this far below the horizontal.
    roll_deg: turn of the RV about the long axis. tilt_deg: valve plane against the short axis.
    shift_sd_mm: standard deviation of the heart's displacement between breath-holds, in plane, each way;
        through the plane it is 0.3 of that. lax_shift_sd_mm: the same of the long-axis views, in space.
    snr: blood signal over the noise's standard deviation. bias: strength of the coils' shading (0 none).
    """

    seed: int = 0
    edv_ml: float = 140.0
    ef: float = 0.60
    wall_mm: float = 9.0
    septal_ratio: float = 1.12
    elongation: float = 1.73
    rv_ratio: float = 1.15
    rv_wall_mm: float = 3.0
    trabeculae_mm: float = 1.8
    twist_deg: float = 10.0
    azimuth_deg: float = 46.0
    elevation_deg: float = 40.0
    roll_deg: float = 0.0
    tilt_deg: float = 6.0
    chest_width_mm: float = 340.0
    chest_depth_mm: float = 220.0
    fat_mm: float = 14.0
    n_frames: int = 12
    heart_rate: float = 66.0
    pixel_mm: float = 1.5
    matrix: tuple[int, int] = (216, 240)  # (H, W)
    slice_gap_mm: float = 10.0  # centre to centre
    slice_thickness_mm: float = 8.0
    lax_thickness_mm: float = 6.0
    lax_matrix: tuple[int, int] = (240, 240)
    shift_sd_mm: float = 1.5
    lax_shift_sd_mm: float = 0.0
    snr: float = 45.0
    bias: float = 0.5
    texture: float = 0.03

    def __post_init__(self) -> None:
        ranges = {
            "edv_ml": (30, 500), "ef": (0.05, 0.85), "wall_mm": (3, 30), "septal_ratio": (0.7, 2.5),
            "elongation": (1.3, 2.2), "rv_ratio": (0.4, 2.5), "n_frames": (1, 200), "pixel_mm": (0.5, 5),
            "slice_gap_mm": (1, 30), "slice_thickness_mm": (0.5, 30), "heart_rate": (20, 250),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"The phantom's {name} is {getattr(self, name)}; choose {low} to {high}.")
        for name in ("shift_sd_mm", "lax_shift_sd_mm", "texture", "bias", "trabeculae_mm"):
            if getattr(self, name) < 0:
                raise InputError(f"The phantom's {name} is {getattr(self, name)}; choose 0 or more.")
        if self.snr <= 0:
            raise InputError(f"The phantom's snr is {self.snr}; choose a number above 0.")

    @property
    def scale(self) -> float:
        """Size of the heart relative to one with an LV of 140 ml."""
        return (self.edv_ml / 140) ** (1 / 3)

    @property
    def phases(self) -> np.ndarray:
        """(n_frames,) fractions of the RR interval; 0 is ED."""
        return np.arange(self.n_frames) / self.n_frames

    @property
    def times(self) -> np.ndarray:
        """(n_frames,) ms after the R wave."""
        return self.phases * 60000 / self.heart_rate

    @property
    def apex_direction(self) -> np.ndarray:
        """(3,) LPS unit vector, from the base of the LV to its apex."""
        azimuth, elevation = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        horizontal = math.cos(elevation)
        return np.array(
            [horizontal * math.sin(azimuth), -horizontal * math.cos(azimuth), -math.sin(elevation)]
        )


def random_config(seed: int, condition: str | None = None, **fixed) -> PhantomConfig:
    """A plausible patient. ``condition``: one of CONDITIONS, or None to draw one. ``fixed`` sets fields."""
    rng = np.random.default_rng([seed, 1])
    drawn = CONDITIONS[rng.choice(len(CONDITIONS), p=(0.4, 0.2, 0.2, 0.1, 0.1))]
    condition = drawn if condition is None else condition
    if condition not in CONDITIONS:
        raise InputError(
            f"There is no phantom condition {condition!r}; choose one of {', '.join(CONDITIONS)}."
        )
    # (low, high) of EDV ml, EF, wall mm, septum ratio, elongation, RV ratio
    table = {
        "normal": ((100, 190), (0.54, 0.70), (7.5, 10.5), (1.0, 1.2), (1.65, 1.82), (0.9, 1.25)),
        "dilated": ((200, 350), (0.15, 0.42), (7.0, 10.5), (0.95, 1.1), (1.50, 1.68), (0.55, 1.0)),
        "hypertrophic": ((80, 170), (0.58, 0.70), (11.0, 17.0), (1.1, 1.7), (1.65, 1.85), (0.8, 1.2)),
        "small": ((70, 100), (0.50, 0.68), (6.0, 8.5), (1.0, 1.2), (1.65, 1.82), (0.9, 1.4)),
        "thin": ((120, 260), (0.25, 0.50), (5.0, 7.0), (0.9, 1.1), (1.55, 1.75), (0.7, 1.3)),
    }[condition]
    edv, ef, wall, septum, elongation, rv = (float(rng.uniform(*limits)) for limits in table)

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    values = {
        "edv_ml": edv, "ef": ef, "wall_mm": wall, "septal_ratio": septum, "elongation": elongation,
        "rv_ratio": rv,
        "rv_wall_mm": between(2.4, 4.0), "trabeculae_mm": between(0.8, 3.0), "twist_deg": between(4, 14),
        "azimuth_deg": between(34, 58), "elevation_deg": between(26, 52), "roll_deg": between(-14, 14),
        "tilt_deg": between(0, 10), "chest_depth_mm": between(195, 245), "fat_mm": between(7, 28),
        "heart_rate": between(50, 95), "pixel_mm": between(1.3, 1.8), "slice_thickness_mm": between(6, 8),
        "shift_sd_mm": between(0.5, 2.5), "snr": between(22, 80), "bias": between(0.2, 0.9),
        "texture": between(0.01, 0.05),
    }  # fmt: skip
    # Stout patients and large hearts need room.
    values["chest_depth_mm"] += 1.2 * max(values["fat_mm"] - 14, 0) + 60 * max((edv / 140) ** (1 / 3) - 1, 0)
    values["chest_width_mm"] = values["chest_depth_mm"] * between(1.45, 1.65)
    return PhantomConfig(**{"seed": seed, **values, **fixed})
