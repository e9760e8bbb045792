"""The part of the panel that plays the cine: input, long-axis images and results together."""

from __future__ import annotations

import slicer

from ..scene.cine_browser import browserOfInput
from ..scene.result_nodes import resultOf
from .parameter_node import DMCVRParameterNode


class PlayPanel:
    """Plays and seeks by Slicer's own widgets. ui: the panel's widgets."""

    def __init__(self, ui):
        self._ui = ui
        self._browser = None

    def update(self, parameters: DMCVRParameterNode) -> None:
        """Take the browser of the result, or of the input, for the panel and for Slicer's toolbar."""
        result = resultOf(parameters.resultVolume)
        browserNode = result.browser if result is not None else None
        browserNode = browserNode or browserOfInput(parameters.inputNode)
        if browserNode is not self._browser:
            self._browser = browserNode
            self._ui.playWidget.setMRMLSequenceBrowserNode(browserNode)
            self._ui.seekWidget.setMRMLSequenceBrowserNode(browserNode)
            if browserNode is not None:
                slicer.modules.sequences.setToolBarActiveBrowserNode(browserNode)
        self._ui.playFrame.visible = browserNode is not None

    def stop(self) -> None:
        """Let go of the browser, whose scene is being closed."""
        self._browser = None
        self._ui.playWidget.setMRMLSequenceBrowserNode(None)
        self._ui.seekWidget.setMRMLSequenceBrowserNode(None)
