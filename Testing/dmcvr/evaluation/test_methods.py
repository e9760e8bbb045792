from dataclasses import replace

import numpy as np
import pytest
from dmcvr.evaluation.methods import Comparison, find_labels, reconstructions
from dmcvr.reconstruction.options import Options

FAST = Options(steps=1)


@pytest.mark.parametrize(
    ("comparison", "needs"),
    [
        (Comparison(("nearest", "shape")), False),
        (Comparison(("nearest", "dmcvr")), True),
        (Comparison(("nearest",), predicted_labels=True), True),
    ],
)
def test_a_model_is_needed_for_generating_and_for_segmenting_only(comparison, needs):
    assert comparison.needs_model == needs


def test_notes_say_whose_labels_and_what_they_decide():
    assert "segmenter's" in Comparison(("dmcvr",), predicted_labels=True).notes[0]
    assert "dmcvr labels new slices by the completed shape" in Comparison(("nearest", "dmcvr")).notes[0]
    assert "completed" not in Comparison(("nearest",)).notes[0]


@pytest.mark.slow
def test_on_expert_labels_diffae_labels_as_shape_does_and_dmcvr_as_it_has_learned(heart, model):
    stack, expert = heart
    comparison = Comparison(("shape", "diffae", "dmcvr"), options=FAST)
    results = dict(reconstructions(stack, expert[0], model, comparison, 5.0))
    np.testing.assert_array_equal(results["shape"].labels, results["diffae"].labels)
    assert (results["shape"].volume != results["diffae"].volume).any()
    whole = results["dmcvr"]
    first, last = whole.acquired.index(0), whole.acquired.index(len(stack.origins) - 1)
    bent = results["shape"].labels != whole.labels[:, first : last + 1]
    assert 0 < bent.mean() < 0.01


def test_every_method_gets_the_given_labels(prism):
    case = prism()
    results = dict(reconstructions(case.stack, case.labels, None, Comparison(("nearest", "shape")), 2.5))
    assert list(results) == ["nearest", "shape"]
    for result in results.values():
        assert result.grid.spacing[2] == 2.5
        np.testing.assert_array_equal(result.stack_labels[0], case.labels)


def test_where_the_heart_is_missed_there_is_no_reconstruction(prism, model):
    case = prism()
    black = replace(case.stack, frames=np.zeros_like(case.stack.frames))
    assert find_labels(model, black) is None
    comparison = Comparison(("nearest", "dmcvr"), predicted_labels=True)
    assert dict(reconstructions(black, case.labels, model, comparison)) == {"nearest": None, "dmcvr": None}


@pytest.mark.slow
def test_predicted_labels_are_the_segmenters_for_every_method(heart, model):
    stack, expert = heart
    found = find_labels(model, stack)
    comparison = Comparison(("nearest", "dmcvr"), predicted_labels=True, options=FAST)
    for _, result in reconstructions(stack, expert[0], model, comparison, 5.0):
        np.testing.assert_array_equal(result.stack_labels[0], found)
    assert (found != expert[0]).any()
