"""A small picture of a case: three acquired slices from base to apex, with outlines."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ..anatomy.cuts import outlines
from ..anatomy.long_axis_views import box
from ..core.intensity import grey_limits
from ..core.labels import BACKGROUND
from ..core.stack import Stack
from ..output.pictures import picture, zoomed
from ..reconstruction.result import Reconstruction

SIDE = 150  # pixels
AROUND_MM = 25.0
JPEG_QUALITY = 80  # a fifth of a PNG's size, and nobody measures in it


def picture_of_result(result: Reconstruction) -> bytes:
    """JPEG of the first frame with the labels of its acquired slices."""
    return _picture(result.stack.frames[0], result.stack_labels[0], result.stack.spacing)


def picture_of_stack(stack: Stack) -> bytes:
    """JPEG of the first frame without labels."""
    return _picture(stack.frames[0], np.zeros(stack.frames.shape[1:], np.uint8), stack.spacing)


def _picture(frame: np.ndarray, labels: np.ndarray, spacing: tuple[float, float]) -> bytes:
    """frame, labels: (S, H, W)."""
    heart = labels != BACKGROUND
    shown = np.flatnonzero(heart.any((1, 2))) if heart.any() else np.arange(len(frame))
    chosen = shown[np.linspace(0, len(shown) - 1, 5).round().astype(int)[1:4]]
    rows = columns = slice(None)
    if heart.any():
        low, high = box(heart.any(0), AROUND_MM / min(spacing))
        rows, columns = slice(low[0], high[0]), slice(low[1], high[1])
    limits = grey_limits(frame)
    sheet = Image.new("RGB", (len(chosen) * SIDE, SIDE))
    for index, s in enumerate(chosen):
        image, drawn = frame[s, rows, columns], labels[s, rows, columns]
        height, width = image.shape
        scale = SIDE / max(height * spacing[1], width * spacing[0])
        tile = picture(image, limits, zoomed(spacing, scale), outlines(drawn))
        sheet.paste(tile, (index * SIDE + (SIDE - tile.width) // 2, (SIDE - tile.height) // 2))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
