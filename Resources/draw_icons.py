"""Draws the icons of the extension, the module and the phantom: ``python Resources/draw_icons.py``.

A heart in the short axis, in the colours of the segments, above the sparse slices it is made from.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dmcvr.core.labels import COLOURS, LVC, LVM, RVC
from dmcvr.simulation.phantom import PhantomConfig, make_phantom
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
FINE = 4  # times finer than the icon, so that edges come out smooth
WALL, PAPER = COLOURS[LVM], (24, 30, 40)


def heart(size: int) -> Image.Image:
    """The icon, ``size`` pixels wide, on transparent ground."""
    scale = size * FINE / 128

    def box(*edges: float) -> list[float]:
        return [edge * scale for edge in edges]

    image = Image.new("RGBA", (size * FINE, size * FINE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(box(2, 2, 126, 126), radius=20 * scale, fill=PAPER)
    draw.ellipse(box(14, 24, 82, 88), fill=COLOURS[RVC])
    draw.ellipse(box(44, 16, 114, 86), fill=PAPER)
    draw.ellipse(box(47, 19, 111, 83), fill=WALL)
    draw.ellipse(box(61, 33, 97, 69), fill=COLOURS[LVC])
    for row, alpha in enumerate((255, 120, 120, 255)):
        top = 95 + 7 * row
        draw.line(box(24, top, 104, top), fill=(235, 235, 235, alpha), width=round(2.6 * scale))
    return image.resize((size, size), Image.LANCZOS)


def phantom(size: tuple[int, int]) -> Image.Image:
    """The phantom's four-chamber view and a short-axis slice above each other, (width, height) pixels."""
    made = make_phantom(PhantomConfig(), frames=[0])
    four = made.lax["4ch"].frames[0, 0]
    middle = made.sax.frames[0, len(made.sax.origins) // 2]
    parts = [_grey(image, (size[0], size[1] // 2)) for image in (four, middle)]
    return Image.fromarray(np.vstack(parts))


def _grey(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    low, high = np.percentile(image, (1, 99))
    grey = Image.fromarray((np.clip((image - low) / (high - low), 0, 1) * 255).astype(np.uint8))
    side = min(grey.width, round(grey.height * size[0] / size[1]))
    left, top = (grey.width - side) // 2, (grey.height - side * size[1] // size[0]) // 2
    return np.asarray(grey.crop((left, top, left + side, top + side * size[1] // size[0])).resize(size))


if __name__ == "__main__":
    icons = ROOT / "DMCVRReconstruction" / "Resources" / "Icons"
    heart(128).save(ROOT / "Resources" / "DMCVR.png")
    heart(64).save(icons / "DMCVRReconstruction.png")
    phantom((260, 280)).save(icons / "DMCVRPhantom.png")
