"""What the panel keeps in the scene, so that it comes back with a saved one."""

import enum
from typing import Annotated

from slicer import (
    vtkMRMLLabelMapVolumeNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLSequenceNode,
)
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from ..running.reconstruction_run import Settings


class Frame(enum.Enum):
    """Which frames of the cine to reconstruct."""

    ed = "ed"
    es = "es"
    current = "current"
    all = "all"

    def label(self) -> str:
        return {
            "ed": _("End-diastole"),
            "es": _("End-systole"),
            "current": _("The frame on show"),
            "all": _("The whole cine"),
        }[self.value]


class Method(enum.Enum):
    """How the missing slices are made."""

    dmcvr = "dmcvr"
    diffae = "diffae"
    registration = "registration"
    shape = "shape"
    bspline = "bspline"
    linear = "linear"
    nearest = "nearest"

    def label(self) -> str:
        return {
            "dmcvr": _("DMCVR"),
            "diffae": _("DiffAE, without morphology"),
            "registration": _("Registration"),
            "shape": _("Shape-based interpolation"),
            "bspline": _("Cubic interpolation"),
            "linear": _("Linear interpolation"),
            "nearest": _("Nearest slice"),
        }[self.value]


class Device(enum.Enum):
    """What to compute on."""

    auto = "auto"
    cuda = "cuda"
    cpu = "cpu"

    def label(self) -> str:
        return {"auto": _("Automatic"), "cuda": _("Graphics card"), "cpu": _("CPU")}[self.value]


@parameterNodeWrapper
class DMCVRParameterNode:
    """The panel's choices.

    inputNode: the short-axis image. labelsNode: labels of its slices, or none to have them segmented.
    spacing: mm between output slices, 0 for the pixels' own. steps: network calls, 0 for the model's own.
    modelFolder: empty for the shipped model. replacePrevious: a new result takes the place of the last one.
    resultVolume: of the last result.
    """

    inputNode: vtkMRMLScalarVolumeNode | vtkMRMLSequenceNode | None
    labelsNode: vtkMRMLSegmentationNode | vtkMRMLLabelMapVolumeNode | None
    frame: Frame = Frame.ed
    spacing: Annotated[float, WithinRange(0, 20)] = 0.0
    method: Method = Method.dmcvr
    device: Device = Device.auto
    modelFolder: str = ""
    steps: Annotated[int, WithinRange(0, 200)] = 0
    seed: Annotated[int, WithinRange(0, 2147483647)] = 0
    regenerate: bool = False
    replacePrevious: bool = True
    resultVolume: vtkMRMLScalarVolumeNode


def settingsOf(parameters: DMCVRParameterNode) -> Settings:
    """The choices as the run takes them."""
    return Settings(
        frame=parameters.frame.value,
        method=parameters.method.value,
        spacing=parameters.spacing or None,
        steps=parameters.steps or None,
        seed=parameters.seed,
        regenerate=parameters.regenerate,
        model=parameters.modelFolder or None,
        device=parameters.device.value,
    )
