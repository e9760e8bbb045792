from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.labels import LVC, RVC
from dmcvr.evaluation.cases import Case
from dmcvr.evaluation.figures.slices import chosen_slices, slice_drawing, slice_grid
from dmcvr.evaluation.generation import Regenerated


@pytest.fixture(scope="module")
def item(phantom):
    """The slices as they are, as "original", and darker with one structure less, as "dmcvr"."""
    inner = slice(4, 10)
    stack, true = phantom.sax.select(slices=inner), phantom.sax_labels[0, inner]
    case = Case("p01_ED", stack, true)
    images = np.clip(stack.frames[0] / np.percentile(stack.frames, 99), 0, 1)
    worse = np.where(true == RVC, 0, true).astype(np.uint8)
    return Regenerated(
        case,
        {"original": images, "dmcvr": 0.5 * images},
        {"original": true, "dmcvr": worse},
        images,
        true,
        replace(stack, frames=images[None]),
        1.0,
    )


def test_slices_go_from_base_to_apex(item):
    chosen = chosen_slices(item)
    assert len(set(chosen)) == 3
    areas = (item.true > 0).sum((1, 2))[chosen]
    assert areas[0] > areas[2]
    assert all((item.true[index] == LVC).any() for index in chosen)
    turned = replace(item, true=item.true[::-1])
    assert chosen_slices(turned) == [len(item.true) - 1 - index for index in chosen]


def test_every_method_has_its_images_its_outlines_and_its_heart(item):
    grid = slice_grid(item)
    assert grid.columns == ("Original", "with labels", "DMCVR", "with labels")
    assert grid.titles == ("base", "mid", "apex", "4-chamber, 3D")
    middle = grid.rows[1]
    np.testing.assert_allclose(0.5 * middle[0].image, middle[2].image)
    assert (middle[1].text, float(middle[3].text) < 1) == ("1.00", True)
    assert middle[1].lines[RVC]
    assert not middle[3].lines[RVC]
    assert middle[3].reference[RVC]
    for panel in grid.rows[3]:
        assert panel.size_mm == grid.rows[3][0].size_mm
    assert grid.rows[3][1].image.shape[-1] == 3


def test_a_method_without_labels_has_no_heart_to_show(item):
    none = {"dmcvr": np.zeros_like(item.true)}
    empty = replace(item, images={"dmcvr": item.original}, labels=none)
    assert slice_grid(empty).titles == ("base", "mid", "apex")


def test_the_caption_says_what_is_seen(item, pixels):
    original = replace(item, images={"original": item.original}, labels={"original": item.true})
    drawing = slice_drawing("slices-best", "Best of 4 cases (p01_ED)", original)
    assert drawing.caption.startswith("Best of 4 cases (p01_ED): slices as acquired")
    assert pixels(drawing.draw()).std() > 10
