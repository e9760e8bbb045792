"""Arrays to PNG: grey windows, and outlines drawn crisp on enlarged images."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

import numpy as np
from PIL import Image, ImageDraw

from ..core.labels import COLOURS

LINE_WIDTH = 0.9  # pixels of the image before it is enlarged

Outlines = Mapping[int, Iterable[np.ndarray]]


def picture(
    image: np.ndarray, limits: tuple[float, float], zoom: float = 1.0, contours: Outlines | None = None
) -> Image.Image:
    """``image`` (H, W) in grey (mode L), enlarged ``zoom`` times; with ``contours`` in colour (mode RGB).

    contours: label -> (N, 2) [row, column] lines in pixels of ``image``, whose centres are whole numbers.
    """
    low, high = limits
    grey = np.clip((image - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    height, width = image.shape
    size = round(width * zoom), round(height * zoom)
    enlarged = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC)
    return enlarged if contours is None else _draw(enlarged, contours, zoom)


def _draw(image: Image.Image, contours: Outlines, zoom: float, fine: int = 3) -> Image.Image:
    """``contours`` over ``image``, drawn ``fine`` times larger for smooth edges."""
    out = image.convert("RGB")
    for label, lines in contours.items():
        mask = Image.new("L", (image.width * fine, image.height * fine))
        pen = ImageDraw.Draw(mask)
        for line in lines:
            # A pixel's centre is half a pixel from its corner, before and after enlarging.
            corners = [tuple(((point[::-1] + 0.5) * zoom) * fine - 0.5) for point in line]
            pen.line(corners, fill=255, width=round(LINE_WIDTH * zoom * fine), joint="curve")
        out.paste(COLOURS[label], mask=mask.resize(image.size, Image.Resampling.BOX))
    return out


def png(image: Image.Image) -> bytes:
    """``image`` as a PNG file; colour is kept as a palette of 256, which suits grey with few colours."""
    if image.mode == "RGB":
        image = image.quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
