import pytest
import slicer
from dmcvr.reconstruction.options import ALIGNMENTS, DEVICES, METHODS, PHASES, ModelChoice, Options
from DMCVRReconstructionLib.panel.parameter_node import (
    Alignment,
    Choice,
    Device,
    DMCVRParameterNode,
    Frame,
    Method,
    modelOf,
    optionsOf,
)


@pytest.fixture
def parameters(application):
    return DMCVRParameterNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def test_untouched_parameters_are_the_defaults_of_the_backend(parameters):
    assert optionsOf(parameters) == Options()
    assert modelOf(parameters) == ModelChoice()


def test_every_choice_reaches_the_options(parameters):
    parameters.frame, parameters.method, parameters.device = Frame.all, Method.diffae, Device.cpu
    parameters.spacing, parameters.steps, parameters.seed = 2.25, 7, 5
    parameters.regenerate, parameters.modelFolder, parameters.align = True, "model", Alignment.off
    assert optionsOf(parameters) == Options(
        "diffae", 2.25, "all", steps=7, seed=5, keep_acquired=False, align="off"
    )
    assert modelOf(parameters) == ModelChoice("model", "cpu")


def test_the_displayed_frame_is_taken_by_its_number(parameters, addCine, oblique, phantom):
    parameters.frame = Frame.current
    assert optionsOf(parameters).frame == 0  # no input yet
    arrays = phantom.sax.frames[:, : oblique.shape[0], : oblique.shape[1], : oblique.shape[2]]
    _, browser, shown = addCine("SAX", arrays, oblique, phantom.sax.times)
    browser.SetSelectedItemNumber(2)
    parameters.inputNode = shown
    assert optionsOf(parameters).frame == 2


def test_every_choice_has_a_title():
    kinds = Frame, Method, Device, Alignment
    values = {*PHASES, "current", *METHODS, *DEVICES, *ALIGNMENTS}
    assert {member.value for kind in kinds for member in kind} == values
    for kind in kinds:
        assert issubclass(kind, Choice)
        assert len({member.label() for member in kind}) == len(kind)
        for member in kind:
            assert member.label() != member.value
    assert Alignment.shape.label() != Method.shape.label()
