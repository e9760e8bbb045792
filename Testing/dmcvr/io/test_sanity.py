"""Images whose numbers tell that they are none of cine MR, and odd ones that still are."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.labels import NAMES
from dmcvr.evaluation.metrics import dice
from dmcvr.io.sanity import MOST_VOXELS, check_size, check_stack
from dmcvr.reconstruction.stack_labels import segment_stack


def scaled(stack, most):
    return stack.frames / stack.frames.max() * most


USABLE = {
    "8 bits": lambda stack: np.round(scaled(stack, 255)),
    "16 bits": lambda stack: np.round(scaled(stack, 65535)),
    "fractions": lambda stack: scaled(stack, 1e-2),
    "ringing": lambda stack: stack.frames - 20,
    "mean 0, deviation 1": lambda stack: (stack.frames - stack.frames.mean()) / stack.frames.std(),
    "saturated": lambda stack: np.minimum(stack.frames, 0.5 * stack.frames.max()),
}
FOREIGN = {
    "16 bits that ran over": lambda stack: np.round(scaled(stack, 60000)).astype(np.uint16).astype(np.int16),
    "CT": lambda stack: scaled(stack, 1500) - 1000,
    "phase": lambda stack: np.random.default_rng(0).uniform(-4096, 4096, stack.frames.shape),
    "below zero throughout": lambda stack: -1 - stack.frames,
}


@pytest.fixture(scope="module")
def usual(model, heart):
    return labels_of(model, heart[0])


def labels_of(model, stack):
    return segment_stack(stack, model, [0], lambda *item: None)[1][0]


@pytest.mark.parametrize("kind", USABLE)
def test_intensities_of_any_scale_give_the_same_heart(model, heart, usual, kind):
    stack = replace(heart[0], frames=USABLE[kind](heart[0]).astype(np.float32))
    check_stack(stack)
    found = labels_of(model, stack)
    for label in NAMES:
        assert dice(found == label, usual == label) > (0.97 if "bits" in kind or kind == "fractions" else 0.8)


@pytest.mark.parametrize("kind", FOREIGN)
def test_numbers_far_below_zero_are_no_magnitude_of_mr(heart, kind):
    with pytest.raises(InputError, match="far below zero"):
        check_stack(replace(heart[0], frames=FOREIGN[kind](heart[0]).astype(np.float32)))


def test_the_largest_image_is_read_and_one_voxel_more_is_not():
    check_size(MOST_VOXELS)
    with pytest.raises(InputError, match="537 million"):
        check_size(MOST_VOXELS + 1)


def test_voxels_of_1_mm_are_no_proof_that_the_spacing_is_missing(heart):
    stack = heart[0]
    unit_steps = {"step_x": stack.step_x / stack.spacing[0], "step_y": stack.step_y / stack.spacing[1]}
    thin = replace(stack, origins=stack.origins[0] + np.arange(4)[:, None] * stack.normal, **unit_steps)
    with pytest.raises(InputError, match="does not say its spacing"):
        check_stack(thin)
    check_stack(replace(thin, origins=stack.origins))
    frames = np.concatenate([stack.frames] * 12, axis=1)
    check_stack(replace(thin, frames=frames, origins=np.arange(48)[:, None] * stack.normal))
