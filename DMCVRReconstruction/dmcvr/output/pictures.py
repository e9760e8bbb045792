"""Arrays to PNG and WebP: grey windows, and outlines drawn crisp on enlarged images."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..core.labels import COLOURS

LINE_WIDTH = 0.9  # pixels of the image before it is enlarged
WEBP_QUALITY = 70

Outlines = Mapping[int, Iterable[np.ndarray]]


def zoomed(spacing: tuple[float, ...], scale: float) -> tuple[float, float]:
    """How many times pixels of ``spacing`` (x, y, ...) mm are enlarged along x and y in a picture of
    ``scale`` pixels a mm.
    """
    return spacing[0] * scale, spacing[1] * scale


def picture(
    image: np.ndarray,
    limits: tuple[float, float],
    zoom: float | tuple[float, float] = 1.0,
    contours: Outlines | None = None,
) -> Image.Image:
    """``image`` (H, W) in grey (mode L), enlarged ``zoom`` times; with ``contours`` in colour (mode RGB).

    zoom: a number, or two of them, along x and y, for pixels that are not square.
    contours: label -> (N, 2) [row, column] lines in pixels of ``image``, whose centres are whole numbers.
    """
    low, high = limits
    grey = np.clip((image - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    height, width = image.shape
    across, down = (zoom, zoom) if isinstance(zoom, (int, float)) else zoom
    size = round(width * across), round(height * down)
    enlarged = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC)
    return enlarged if contours is None else _draw(enlarged, contours, (across, down))


def _draw(image: Image.Image, contours: Outlines, zoom: tuple[float, float], fine: int = 3) -> Image.Image:
    """``contours`` over ``image``, drawn ``fine`` times larger for smooth edges."""
    out = image.convert("RGB")
    for label, lines in contours.items():
        mask = Image.new("L", (image.width * fine, image.height * fine))
        pen = ImageDraw.Draw(mask)
        for line in lines:
            # A pixel's centre is half a pixel from its corner, before and after enlarging.
            corners = [tuple((point[::-1] + 0.5) * np.array(zoom) * fine - 0.5) for point in line]
            pen.line(corners, fill=255, width=round(LINE_WIDTH * min(zoom) * fine), joint="curve")
        out.paste(COLOURS[label], mask=mask.resize(image.size, Image.Resampling.BOX))
    return out


def png(image: Image.Image) -> bytes:
    """``image`` as a PNG file; colour is kept as a palette of 256, which suits grey with few colours."""
    if image.mode == "RGB":
        image = image.quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def webp(images: Sequence[Image.Image], frame_ms: int) -> bytes:
    """``images`` of one size, each shown for ``frame_ms``, over and over, as an animated WebP file."""
    out = io.BytesIO()
    first, *others = images
    first.save(
        out, "WEBP", save_all=True, append_images=others, duration=frame_ms, loop=0, quality=WEBP_QUALITY
    )
    return out.getvalue()


def side_by_side(images: Sequence[Image.Image], gap: int) -> Image.Image:
    """``images`` in a row on black, ``gap`` pixels apart, in the middle of the highest one's height."""
    width = sum(image.width for image in images) + gap * (len(images) - 1)
    sheet, left = Image.new("RGB", (width, max(image.height for image in images))), 0
    for image in images:
        sheet.paste(image, (left, (sheet.height - image.height) // 2))
        left += image.width + gap
    return sheet
