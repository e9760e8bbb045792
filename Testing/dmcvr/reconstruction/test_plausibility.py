"""Labels that no heart has are pointed out, those of hearts are not."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.reconstruction.plausibility import left_offsets, plausibility_warnings


@pytest.fixture(scope="module")
def whole(phantom):
    """The phantom's stack and the exact labels of its slices."""
    return phantom.sax, phantom.sax_labels[0]


def middle_slice(labels):
    return int(np.argmax((labels == LVC).sum((1, 2))))


def test_nothing_is_said_of_a_heart(whole):
    stack, labels = whole
    assert plausibility_warnings(stack, {0: labels}) == []


@pytest.mark.parametrize(("factor", "names"), [(0.3, "LVM"), (2.2, "LVC")])
def test_volumes_that_no_adult_has(whole, factor, names):
    stack, labels = whole
    other = replace(stack, step_x=stack.step_x * factor, step_y=stack.step_y * factor)
    messages = [
        message for message in plausibility_warnings(other, {0: labels}) if "ml, is outside" in message
    ]
    assert any(f"The volume of {names}, " in message for message in messages)


def test_a_slice_that_lies_off_its_neighbours(whole):
    stack, labels = whole
    index = middle_slice(labels)
    moved = labels.copy()
    moved[index] = np.roll(labels[index], 10, axis=1)
    pixels = 10 * stack.spacing[0]
    before, after = left_offsets(stack, labels)[index], left_offsets(stack, moved)[index]
    assert pixels - before <= after <= pixels + before
    cine = replace(stack, frames=np.repeat(stack.frames, 2, axis=0), times=None)
    messages = [item for item in plausibility_warnings(cine, {0: labels, 1: moved}) if "breath-hold" in item]
    assert any(f"slice {index + 1} lies {after:.0f} mm" in message for message in messages)


def test_slices_far_apart_may_differ_as_much(whole):
    stack, labels = whole
    index = middle_slice(labels)
    moved = labels.copy()
    moved[index] = np.roll(labels[index], 10, axis=1)
    origins = stack.origins[0] + (stack.origins - stack.origins[0]) * 3
    assert not any(
        "breath-hold" in item for item in plausibility_warnings(replace(stack, origins=origins), {0: moved})
    )


def test_ventricles_that_change_places(whole):
    stack, labels = whole
    index = middle_slice(labels)
    confused = labels.copy()
    confused[index][labels[index] == LVC], confused[index][labels[index] == RVC] = RVC, LVC
    messages = [item for item in plausibility_warnings(stack, {0: confused}) if "confused" in item]
    assert [
        f"slices {first + 1} and {first + 2} do not match" in item
        for first, item in zip((index - 1, index), messages, strict=True)
    ] == [True, True]


def test_blood_no_brighter_than_muscle(whole):
    stack, labels = whole
    dark = stack.frames.copy()
    dark[0][labels == LVC] = np.median(stack.frames[0][labels == LVM])
    assert [
        "hardly brighter" in item for item in plausibility_warnings(replace(stack, frames=dark), {0: labels})
    ] == [True]


def test_no_labels_are_not_odd(whole):
    stack, labels = whole
    assert plausibility_warnings(stack, {0: np.zeros_like(labels)}) == []
