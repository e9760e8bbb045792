import pytest
import slicer
from dmcvr.reconstruction.options import DEVICES, METHODS, PHASES, ModelChoice, Options
from DMCVRReconstructionLib.panel.parameter_node import (
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
    parameters.regenerate, parameters.modelFolder = True, "model"
    assert optionsOf(parameters) == Options("diffae", 2.25, "all", steps=7, seed=5, keep_acquired=False)
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
    values = {*PHASES, "current", *METHODS, *DEVICES}
    assert {member.value for kind in (Frame, Method, Device) for member in kind} == values
    for kind in (Frame, Method, Device):
        assert issubclass(kind, Choice)
        for member in kind:
            assert member.label() != member.value
