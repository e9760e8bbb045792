"""The panel's choices, which are kept in the scene and come back with a saved one."""

import enum
from dataclasses import replace
from typing import Annotated

from dmcvr.reconstruction.options import ALIGNMENTS, DEVICES, METHODS, PHASES, ModelChoice, Options
from slicer import (
    vtkMRMLLabelMapVolumeNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLSequenceNode,
)
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from ..scene.image_series import currentFrame

CURRENT = "current"
OPTIONS, MODEL = Options(), ModelChoice()  # the defaults


class Choice(enum.Enum):
    """One of several values, with a title for the panel."""

    def label(self) -> str:
        """The title; the value itself where it has none yet."""
        titles = {
            "ed": _("End-diastole"),
            "es": _("End-systole"),
            "both": _("End-diastole and end-systole"),
            "all": _("All frames"),
            CURRENT: _("Displayed frame"),
            "dmcvr": _("DMCVR"),
            "diffae": _("DiffAE, without morphology"),
            "registration": _("Registration"),
            "shape": _("Shape-based interpolation"),
            "bspline": _("B-spline interpolation"),
            "linear": _("Linear interpolation"),
            "nearest": _("Nearest neighbour"),
            "auto": _("Automatic"),
            "cuda": _("GPU"),
            "cpu": _("CPU"),
            "lax": _("By long-axis images"),
            "off": _("Off, slices stay as acquired"),
        }
        if type(self) is Alignment and self.value == "shape":
            return _("By the slices' shapes")
        return titles.get(self.value, self.value)


Frame = Choice("Frame", {name: name for name in (*PHASES, CURRENT)})
Method = Choice("Method", {name: name for name in METHODS})
Device = Choice("Device", {name: name for name in DEVICES})
Alignment = Choice("Alignment", {name: name for name in ALIGNMENTS})


@parameterNodeWrapper
class DMCVRParameterNode:
    """The panel's choices; those that are options have the defaults of ``Options`` and ``ModelChoice``.

    inputNode: the short-axis image. labelsNode: labels of its slices to start from, or none to segment them.
    spacing: target slice spacing, mm; 0 for the in-plane spacing. steps: 0 for the default of the method.
    modelFolder: empty for the shipped model. align: what slices are put in register by.
    regenerate: the opposite of ``Options.keep_acquired``.
    replacePrevious: a new result replaces the previous one. resultVolume: of the last result.
    """

    inputNode: vtkMRMLScalarVolumeNode | vtkMRMLSequenceNode | None
    labelsNode: vtkMRMLSegmentationNode | vtkMRMLLabelMapVolumeNode | None
    frame: Frame = Frame(OPTIONS.frame)
    spacing: Annotated[float, WithinRange(0, 20)] = OPTIONS.spacing or 0.0
    method: Method = Method(OPTIONS.method)
    device: Device = Device(MODEL.device)
    modelFolder: str = MODEL.folder or ""
    align: Alignment = Alignment(OPTIONS.align)
    steps: Annotated[int, WithinRange(0, 200)] = OPTIONS.steps or 0
    seed: Annotated[int, WithinRange(0, 2147483647)] = OPTIONS.seed
    regenerate: bool = not OPTIONS.keep_acquired
    replacePrevious: bool = True
    resultVolume: vtkMRMLScalarVolumeNode


def optionsOf(parameters: DMCVRParameterNode) -> Options:
    """The options chosen; "current" becomes the number of the displayed frame of the input."""
    frame = parameters.frame.value
    if frame == CURRENT:
        frame = currentFrame(parameters.inputNode) if parameters.inputNode is not None else 0
    return replace(
        OPTIONS,
        frame=frame,
        method=parameters.method.value,
        spacing=parameters.spacing or None,
        steps=parameters.steps or None,
        seed=parameters.seed,
        align=parameters.align.value,
        keep_acquired=not parameters.regenerate,
    )


def modelOf(parameters: DMCVRParameterNode) -> ModelChoice:
    """The model and device chosen."""
    return replace(MODEL, folder=parameters.modelFolder or None, device=parameters.device.value)
