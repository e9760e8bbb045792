"""Long-axis images must cross the stack."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.io.crossing import check_crossing, crossing_fault


def test_a_phantoms_own_views_cross_its_stack(phantom):
    for image in phantom.lax.values():
        check_crossing(image, phantom.sax)


@pytest.mark.parametrize(
    ("shift", "sentence"),
    [(300.0, "does not cross the short-axis stack: it lies"), (-300.0, "does not cross")],
)
def test_images_far_away_are_refused(phantom, shift, sentence):
    image = phantom.lax["4ch"]
    away = replace(image, origins=image.origins + shift * phantom.sax.normal)
    with pytest.raises(InputError, match=sentence):
        check_crossing(away, phantom.sax)
    aside = replace(image, origins=image.origins + shift * image.normal)
    with pytest.raises(InputError, match="mm away"):
        check_crossing(aside, phantom.sax)


def test_an_image_that_only_touches_the_stack_is_refused(phantom):
    image, stack = phantom.lax["4ch"], phantom.sax
    positions = (image.plane(0).points() - stack.origins[0]) @ stack.normal
    lift = stack.positions[-1] - positions.min() - 5.0
    above = replace(image, origins=image.origins + lift * stack.normal)
    assert "hardly touches" in crossing_fault(above, stack)


def test_a_short_axis_slice_is_no_long_axis_image(phantom):
    slices = phantom.sax.select(slices=[5])
    assert "instead of crossing" in crossing_fault(slices, phantom.sax)
    assert np.isclose(abs(slices.normal @ phantom.sax.normal), 1)
