"""The part of the panel on the input: the stack, long-axis images, model, device and estimated time."""

from __future__ import annotations

import numpy as np
import qt
from dmcvr.core.errors import InputError
from dmcvr.model.bundle import DEFAULT_BUNDLE, read_card
from slicer.i18n import tr as _

from ..comparison.lax_images import LaxImage, findLaxImages
from ..running.device_query import DeviceQuery
from ..running.reconstruction_run import countSteps
from ..running.time_estimate import duration, rememberedStepTimes
from ..scene.stack_input import StackInput, stackInput
from .parameter_node import DMCVRParameterNode, optionsOf

LEFT_OUT = "laxLeftOut"  # role of the references to long-axis images that the user has unchecked
POLL_MS = 200


class InputPanel:
    """Describes the input, lists the long-axis images found, and estimates the time.

    ui: the panel's widgets. onChanged: called when something other than a parameter has changed, such as the
    known devices.
    """

    def __init__(self, ui, onChanged):
        self._ui, self._onChanged = ui, onChanged
        self._parameters: DMCVRParameterNode | None = None
        self._found: StackInput | None = None
        self._images: list[LaxImage] = []
        self._listing = False
        self.problem: str | None = None
        self._query = DeviceQuery()
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._takeAnswer)
        ui.laxList.connect("itemChanged(QListWidgetItem*)", self._onChecked)

    def queryDevices(self) -> None:
        """Find out in the background which devices this computer offers."""
        if not self._query.isOver:
            self._query.start()
            self._timer.start()

    def stop(self) -> None:
        """Stop waiting for the devices."""
        self._timer.stop()

    @property
    def device(self) -> str:
        """ "cuda" or "cpu": what a run would use, as far as is known."""
        chosen = self._parameters.device.value if self._parameters is not None else "auto"
        gpus = (self._query.answer or {}).get("gpus")
        return "cuda" if chosen == "cuda" or (chosen == "auto" and gpus) else "cpu"

    @property
    def laxNodes(self) -> list:
        """The long-axis images that are checked."""
        left = self._leftOut()
        return [image.node for image in self._images if image.node.GetID() not in left]

    def update(self, parameters: DMCVRParameterNode) -> None:
        """Show what follows from the parameters; ``problem`` then says what is wrong, or is None."""
        self._parameters = parameters
        self.problem, self._found, self._images = None, None, []
        try:
            self._found = stackInput(parameters.inputNode)
            steps = countSteps(self._found, optionsOf(parameters))
            self._images = findLaxImages(self._found)
        except InputError as error:
            self.problem = str(error)
        self._ui.inputLabel.text = self._describe() if self._found is not None else ""
        self._list()
        self._showModel(parameters.modelFolder)
        seconds = steps.seconds(rememberedStepTimes(self.device)) if self.problem is None else None
        self._ui.deviceLabel.text = self._describeDevice(seconds)

    def _describe(self) -> str:
        planes, series = self._found.planes, self._found.series
        normal = planes[0].normal
        gaps = np.diff(np.sort([plane.origin @ normal for plane in planes]))
        apart = f"{gaps.min():.1f}" if np.ptp(gaps) < 0.05 else f"{gaps.min():.1f} - {gaps.max():.1f}"
        text = _("{slices} slices, {gaps} mm apart, {frames} frames.").format(
            slices=len(planes), gaps=apart, frames=series[0].count
        )
        if len(series) > 1:
            text += " " + _("Assembled from {count} single-slice images.").format(count=len(series))
        return text

    def _list(self) -> None:
        self._listing = True
        left = self._leftOut()
        self._ui.laxList.clear()
        for image in self._images:
            item = qt.QListWidgetItem(image.series.name)
            item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled)
            item.setCheckState(qt.Qt.Unchecked if image.node.GetID() in left else qt.Qt.Checked)
            self._ui.laxList.addItem(item)
        self._listing = False

    def _onChecked(self, item) -> None:
        if self._listing or self._parameters is None:
            return
        node = self._parameters.parameterNode
        node.RemoveNodeReferenceIDs(LEFT_OUT)
        for row, image in enumerate(self._images):
            if self._ui.laxList.item(row).checkState() == qt.Qt.Unchecked:
                node.AddNodeReferenceID(LEFT_OUT, image.node.GetID())

    def _leftOut(self) -> set[str]:
        if self._parameters is None:
            return set()
        node = self._parameters.parameterNode
        return {
            node.GetNthNodeReferenceID(LEFT_OUT, k) for k in range(node.GetNumberOfNodeReferences(LEFT_OUT))
        }

    def _showModel(self, folder: str) -> None:
        try:
            card = read_card(folder or DEFAULT_BUNDLE)
        except InputError as error:
            self.problem = self.problem or str(error)
            self._ui.modelLabel.text = str(error)
            return
        self._ui.modelLabel.text = _("{name}. Licence of the weights: {licence}").format(
            name=card["name"], licence=card["licence"]
        )

    def _describeDevice(self, seconds: float | None) -> str:
        answer = self._query.answer
        if not self._query.isOver:
            text = _("Looking for a GPU ...")
        elif answer is None or not answer["devices"]:
            text = _("PyTorch is not installed yet.")
        elif self.device == "cuda" and answer["gpus"]:
            gpu = answer["gpus"][0]
            text = _("{name}, {free:.1f} of {total:.1f} GB free.").format(
                name=gpu["name"], free=gpu["free_mb"] / 1024, total=gpu["total_mb"] / 1024
            )
        elif self.device == "cuda":
            text = _("No usable GPU was found; choose Automatic or CPU.")
        else:
            text = answer["devices"][0]
            text = text[:1].upper() + text[1:] + "."
        if seconds is not None:
            text += " " + _("Estimated time: {time}.").format(time=duration(seconds))
        return text

    def _takeAnswer(self) -> None:
        if self._query.isOver:
            self._timer.stop()
            self._onChanged()
