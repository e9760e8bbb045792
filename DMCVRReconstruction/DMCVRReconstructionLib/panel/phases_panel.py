"""The buttons that show a result at end-diastole, at end-systole, or both side by side."""

from __future__ import annotations

import slicer
from dmcvr.core.errors import InputError
from slicer.i18n import tr as _

from ..comparison.side_by_side import SideBySide, canBeShown
from ..scene.result_nodes import ResultNodes


class PhasesPanel:
    """ui: the panel's widgets. onEnter: called before the layout changes."""

    def __init__(self, ui, onEnter):
        self._ui, self._onEnter = ui, onEnter
        self._nodes: ResultNodes | None = None
        self._shown: SideBySide | None = None
        ui.edButton.connect("clicked(bool)", lambda checked=False: self._jump("ed"))
        ui.esButton.connect("clicked(bool)", lambda checked=False: self._jump("es"))
        ui.phasesButton.connect("toggled(bool)", self._onSideBySide)

    def show(self, nodes: ResultNodes | None) -> None:
        """Offer the phases of ``nodes``."""
        known = self._nodes.volume if self._nodes is not None else None
        if nodes is None or nodes.volume is not known:
            self.leave()
        self._nodes = nodes
        record = nodes.record if nodes is not None and nodes.volumeSequence is not None else {}
        for phase, button in (("ed", self._ui.edButton), ("es", self._ui.esButton)):
            button.visible = record.get(phase) is not None
        self._ui.phasesButton.visible = bool(record) and canBeShown(nodes)

    def leave(self) -> None:
        """Restore the user's layout, if both phases are shown."""
        if self._shown is not None:
            self._shown.leave()
            self._shown = None
        self._ui.phasesButton.checked = False

    def _jump(self, phase: str) -> None:
        self._nodes.showFrame(self._nodes.record[phase])

    def _onSideBySide(self, checked: bool) -> None:
        if not checked:
            self.leave()
        elif self._shown is None:
            self._onEnter()
            try:
                with slicer.util.tryWithErrorDisplay(_("The phases cannot be shown.")):
                    self._shown = SideBySide(self._nodes)
                    self._shown.enter()
            except InputError:  # which the user has read
                self.leave()
