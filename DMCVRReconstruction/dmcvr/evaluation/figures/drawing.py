"""What every figure has: a name, a caption, and how it is drawn and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HINT = 'Figures need matplotlib, which is not installed: pip install "dmcvr[evaluate]" adds it.'
DPI = 160


@dataclass(frozen=True)
class Drawing:
    """A figure yet to be drawn.

    name: for the file, such as "boxes". caption: what a reader sees in it and has to know.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure, ``width`` by ``height`` inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_drawings(folder: Path, prefix: str, drawings: Iterable[Drawing]) -> dict[str, str]:
    """Write each drawing to ``folder`` as PREFIX-NAME.png; its caption by file name."""
    captions = {}
    for drawing in drawings:
        path = folder / f"{prefix}-{drawing.name}.png"
        # The software's name and version would make the file differ between two equal runs.
        drawing.draw().savefig(path, dpi=DPI, metadata={"Software": None})
        captions[path.name] = drawing.caption
    return captions
