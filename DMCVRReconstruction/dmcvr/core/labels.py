"""The label order, the same everywhere in the project, and what labels touch."""

import numpy as np

BACKGROUND, LVC, LVM, RVC = 0, 1, 2, 3
NAMES = {LVC: "LVC", LVM: "LVM", RVC: "RVC"}
TITLES = {LVC: "left ventricular cavity", LVM: "left ventricular myocardium", RVC: "right ventricular cavity"}
COLOURS = {LVC: (214, 69, 65), LVM: (77, 175, 124), RVC: (78, 131, 209)}  # as in the paper's figures
WALL_OPACITY = 0.4
"""Of the myocardium's surface in 3D, so that the cavity inside shows."""
FILL_OPACITY = 0.15
"""Of the labels within their outlines in 2D."""


def remap(labels: np.ndarray, values: tuple[int, int, int]) -> np.ndarray:
    """Labels in the project's order; ``values`` stand for (LVC, LVM, RVC), all others for nothing."""
    out = np.zeros(labels.shape, np.uint8)
    for label, value in zip((LVC, LVM, RVC), values, strict=True):
        out[labels == value] = label
    return out


def surrounded(labels: np.ndarray, inner: int, wall: int) -> float:
    """Share of ``inner``'s border with anything else, within the slices, that is border with ``wall``.

    labels: (..., H, W). 0 where ``inner`` has no border.
    """
    border = touching = 0
    for axis in (-1, -2):
        moved = np.moveaxis(labels, axis, -1)
        for a, b in ((moved[..., 1:], moved[..., :-1]), (moved[..., :-1], moved[..., 1:])):
            neighbours = b[(a == inner) & (b != inner)]
            border += neighbours.size
            touching += int((neighbours == wall).sum())
    return touching / border if border else 0.0
