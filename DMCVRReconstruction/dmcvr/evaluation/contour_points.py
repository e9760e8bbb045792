"""Files of contour points as biv-me writes them.

biv-me (github.com/UOA-Heart-Mechanics-Research/biv-me) writes text: tab-separated x, y, z in DICOM patient
coordinates (LPS, mm), contour type, frameID or sliceID, weight and time frame, under a line of these names.
The ID stands for one image, short-axis (SAX) or long-axis (LAX), as the type's prefix says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError

HEADER = ("x", "y", "z", "contour type", "frameID", "weight", "time frame")
LARGEST_NUMBER = 2**31
"""Images have smaller numbers than this."""
OTHER_ID = "sliceID"
"""Another name for the same, in older files."""


@dataclass(frozen=True)
class ContourPoints:
    """places: (N, 3) LPS mm. kinds: (N,) contour types. images: (N,) IDs. frames: (N,) time frames."""

    places: np.ndarray
    kinds: np.ndarray
    images: np.ndarray
    frames: np.ndarray

    def select(self, which: np.ndarray) -> ContourPoints:
        """Those points for which ``which`` (N,) bool holds."""
        return ContourPoints(*(values[which] for values in vars(self).values()))

    def of(self, *kinds: str, image: int | None = None) -> np.ndarray:
        """(M, 3) LPS mm, the points of these types, on one image or on all."""
        chosen = np.isin(self.kinds, kinds)
        return self.places[chosen if image is None else chosen & (self.images == image)]


def read_contour_points(path: Path) -> ContourPoints:
    """All points of a file, in its order. Raises InputError where it is no such file."""
    wrong = InputError(
        "A contour file is not the text that biv-me writes: tab-separated x, y, z, contour type, frameID, "
        "weight and time frame under a line of these names."
    )
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise InputError("A contour file does not exist; check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise wrong from error
    if not lines or tuple(lines[0].replace(OTHER_ID, HEADER[4]).split("\t")) != HEADER:
        raise wrong
    places, kinds, images, frames = [], [], [], []
    for line in filter(str.strip, lines[1:]):
        try:
            x, y, z, kind, image, _, frame = line.split("\t")
            places.append((float(x), float(y), float(z)))
            images.append(int(image))
            frames.append(float(frame))
        except ValueError as error:
            raise wrong from error
        kinds.append(kind)
    numbered = all(abs(image) < LARGEST_NUMBER for image in images)
    if not np.isfinite(places).all() or not np.isfinite(frames).all() or not numbered:
        raise wrong
    return ContourPoints(
        np.array(places, float).reshape(-1, 3), np.array(kinds, str), np.array(images, int), np.array(frames)
    )
