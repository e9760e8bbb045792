"""The label order, the same everywhere in the project."""

import numpy as np

BACKGROUND, LVC, LVM, RVC = 0, 1, 2, 3
NAMES = {LVC: "LVC", LVM: "LVM", RVC: "RVC"}
TITLES = {LVC: "left ventricular cavity", LVM: "left ventricular myocardium", RVC: "right ventricular cavity"}
COLOURS = {LVC: (214, 69, 65), LVM: (77, 175, 124), RVC: (78, 131, 209)}  # as in the paper's figures


def remap(labels: np.ndarray, values: tuple[int, int, int]) -> np.ndarray:
    """Labels in the project's order; ``values`` stand for (LVC, LVM, RVC), all others for nothing."""
    out = np.zeros(labels.shape, np.uint8)
    for label, value in zip((LVC, LVM, RVC), values, strict=True):
        out[labels == value] = label
    return out
