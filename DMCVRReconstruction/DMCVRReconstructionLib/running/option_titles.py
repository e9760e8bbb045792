"""The backend's sentences in the words of the panel: options of its command line by their titles there."""

from __future__ import annotations

import re

from slicer.i18n import tr as _

OPTION = re.compile(r"--[a-z][a-z-]*")


def withTitles(text: str) -> str:
    """``text`` with every option that the panel offers called as the panel calls it."""
    titles = {
        "--align": _("Alignment of slices"),
        "--device": _("Device"),
        "--frame": _("Frame"),
        "--labels": _("Reconstruct from"),
        "--method": _("Method"),
        "--model": _("Model folder"),
        "--seed": _("Random seed"),
        "--spacing": _("Target slice spacing"),
        "--steps": _("Diffusion steps"),
    }
    return OPTION.sub(
        lambda found: f'"{titles[found[0]]}"' if found[0] in titles else found[0],
        text,
    )
