"""What the panel says of a result beside its numbers."""

from __future__ import annotations

import numpy as np
from dmcvr.reconstruction.warnings import IN_REGISTER
from slicer.i18n import tr as _

from ..running.option_titles import withTitles
from ..scene.edited_volumes import editedFrames
from ..scene.result_nodes import ResultNodes

LEAST_SHIFT_MM = 0.05  # is told as 0.1 mm


def resultNotes(nodes: ResultNodes) -> list[str]:
    """Plain sentences: what needs review, and how the numbers came about."""
    record = nodes.record
    # What was put in register is told by ``registerNote``; it is no doubt of the result.
    doubts = [text for text in record["warnings"] if not text.startswith(IN_REGISTER)]
    notes = [_("Needs review: {text}").format(text=withTitles(text)) for text in doubts]
    if _hasFunction(record) and not record["cycle"]["fitted"]:
        notes.append(
            _(
                "The outlines of each frame stand by themselves: they were not fitted over the whole beat, "
                "so the ejection fraction may be off by several percentage points, above all where the "
                "basal slice is drawn in one phase only."
            )
        )
    if edited := editedFrames(nodes):
        notes.append(
            _("Measured from the segmentation as it was edited since ({count} frames).").format(
                count=len(edited)
            )
        )
    return notes


def registerNote(record: dict) -> str:
    """By how much slices were moved, by what, and how to do without; empty where none was."""
    register = record["register"]
    if register["largest_mm"] <= LEAST_SHIFT_MM:
        return ""
    sources = {
        "lax": _("the long-axis images"),
        "shape": _("the slices' own shapes"),
        "both": _("the long-axis images and the slices' own shapes"),
    }
    return _(
        "Slices were put in register by {source}: moved in their plane by up to {largest:.1f} mm (slice "
        '{number}). To keep them as acquired, set "Alignment of slices" under Advanced to Off and '
        "reconstruct again."
    ).format(
        source=sources[register["source"]],
        largest=register["largest_mm"],
        number=int(np.linalg.norm(register["shifts_mm"], axis=1).argmax()) + 1,
    )


def _hasFunction(record: dict) -> bool:
    """Whether an ejection fraction is among the numbers."""
    phases = record["ed"], record["es"]
    return None not in phases and phases[0] != phases[1]
