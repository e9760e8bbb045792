"""Colours and names, the same in every figure, chosen from Okabe and Ito's palette for all kinds of colour
vision.
"""

from __future__ import annotations

from ...core.labels import LVC, LVM, RVC

# Not labels.COLOURS: its red and green are hard to tell apart for one man in twelve.
LABEL_COLOURS = {LVC: "#d55e00", LVM: "#f0e442", RVC: "#56b4e9"}
SURFACE_COLOURS = {LVC: (213, 94, 0), LVM: (240, 228, 66), RVC: (86, 180, 233)}
"""The same, of 255."""
METHOD_COLOURS = {
    "original": "#4d4d4d",
    "nearest": "#999999",
    "linear": "#56b4e9",
    "bspline": "#0072b2",
    "shape": "#009e73",
    "registration": "#e69f00",
    "deeprecon": "#8c6d46",
    "diffae": "#cc79a7",
    "dmcvr": "#d55e00",
    "ED": "#0072b2",
    "ES": "#e69f00",
}
OTHERS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999")
METHOD_TITLES = {
    "acquired": "Acquired",
    "original": "Original",
    "nearest": "Nearest neighbour",
    "linear": "Linear",
    "bspline": "B-spline",
    "shape": "Shape",
    "registration": "Registration",
    "deeprecon": "DeepRecon-style",
    "diffae": "DiffAE",
    "dmcvr": "DMCVR",
}
INK, SOFT = "#222222", "#777777"
SMALL, NORMAL = 7.5, 9.0
"""Font sizes in points."""


def colour_of(name: str, index: int) -> str:
    """The colour of a method or phase; by ``index`` for any other name."""
    return METHOD_COLOURS.get(name, OTHERS[index % len(OTHERS)])


def title_of(name: str) -> str:
    """A method's name as figures spell it; any other name as it is."""
    return METHOD_TITLES.get(name, name)


def tidy_axes(axes) -> None:
    """Thin soft spines on two sides, small ticks, a faint grid behind the data."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(SOFT)
    axes.tick_params(labelsize=SMALL, color=SOFT, labelcolor=INK, length=3)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.7)
    axes.set_axisbelow(True)
