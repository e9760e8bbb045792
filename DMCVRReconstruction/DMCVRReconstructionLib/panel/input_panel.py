"""The part of the panel on the input: the stack, long-axis images, model, device and estimated time."""

from __future__ import annotations

import numpy as np
import qt
from dmcvr.anatomy.long_axis import LongAxis
from dmcvr.core.errors import InputError
from dmcvr.model.bundle import DEFAULT_BUNDLE, read_card
from slicer.i18n import tr as _

from ..comparison.lax_images import LaxImage, expectedAxis, findLaxImages, imagesByView
from ..running.device_query import DeviceQuery
from ..running.reconstruction_run import countSteps
from ..running.time_estimate import duration, rememberedStepTimes
from ..scene.result_nodes import INPUT_ROLE, resultOf
from ..scene.stack_input import StackInput, stackInput
from .parameter_node import DMCVRParameterNode, optionsOf

# Roles of the references to long-axis images that the user has unchecked, or checked in addition.
LEFT_OUT, ADDED = "laxLeftOut", "laxAdded"
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
        self._axis: LongAxis | None = None
        self._views: dict[str, LaxImage] = {}
        self._listing = False
        self.problem: str | None = None
        self._query = DeviceQuery()
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._takeAnswer)
        for widget in (ui.laxList, ui.laxOthersList):
            widget.connect("itemChanged(QListWidgetItem*)", self._onChecked)

    def queryDevices(self) -> None:
        """Find out in the background which devices this computer offers; may be called again."""
        self._query = DeviceQuery()
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
        """The long-axis images that are checked: at most one of each view, unless the user adds others."""
        return [image.node for image in self._checked()]

    def update(self, parameters: DMCVRParameterNode) -> None:
        """Show what follows from the parameters; ``problem`` then says what is wrong, or is None."""
        self._parameters = parameters
        self.problem, self._found, self._images, self._views = None, None, [], {}
        try:
            self._found = stackInput(parameters.inputNode)
            steps = countSteps(self._found, optionsOf(parameters))
            self._images = findLaxImages(self._found)
            self._axis = self._knownAxis() or expectedAxis(self._found, self._images)
            self._views = imagesByView(self._images, self._axis, self._found.frameCount)
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

    def _knownAxis(self) -> LongAxis | None:
        """The long axis that an earlier reconstruction of the input has found."""
        nodes = resultOf(self._parameters.resultVolume)
        if nodes is None or nodes.table.GetNodeReference(INPUT_ROLE) is not self._found.node:
            return None
        return nodes.longAxisInWorld

    def _checked(self) -> list[LaxImage]:
        left, added = self._referenced(LEFT_OUT), self._referenced(ADDED)
        others = [image for image in self._others() if image.node.GetID() in added]
        taken = {self._axis.view(image.plane) for image in others}
        own = [
            image
            for view, image in self._views.items()
            if view not in taken and image.node.GetID() not in left
        ]
        return own + others

    def _others(self) -> list[LaxImage]:
        chosen = [image.node for image in self._views.values()]
        return [image for image in self._images if image.node not in chosen]

    def _list(self) -> None:
        self._listing = True
        checked = self.laxNodes
        titled = {f"{view}: {image.series.name}": image for view, image in self._views.items()}
        others = {image.series.name: image for image in self._others()}
        for widget, images in ((self._ui.laxList, titled), (self._ui.laxOthersList, others)):
            widget.clear()
            for title, image in images.items():
                item = qt.QListWidgetItem(title)
                item.setData(qt.Qt.UserRole, image.node.GetID())
                item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled)
                item.setCheckState(qt.Qt.Checked if image.node in checked else qt.Qt.Unchecked)
                widget.addItem(item)
        self._ui.laxOthersButton.visible = bool(others)
        self._listing = False

    def _onChecked(self, item) -> None:
        if self._listing or self._parameters is None:
            return
        node = self._parameters.parameterNode
        isChecked, nodeID = item.checkState() == qt.Qt.Checked, item.data(qt.Qt.UserRole)
        isOwn = nodeID in [image.node.GetID() for image in self._views.values()]
        role = LEFT_OUT if isOwn else ADDED
        kept = self._referenced(role) - {nodeID}
        if isChecked != isOwn:
            kept.add(nodeID)
        node.RemoveNodeReferenceIDs(role)
        for keptID in sorted(kept):
            node.AddNodeReferenceID(role, keptID)

    def _referenced(self, role: str) -> set[str]:
        if self._parameters is None:
            return set()
        node = self._parameters.parameterNode
        return {node.GetNthNodeReferenceID(role, k) for k in range(node.GetNumberOfNodeReferences(role))}

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
