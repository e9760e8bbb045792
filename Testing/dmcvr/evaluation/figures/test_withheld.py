import numpy as np
import pytest
from dmcvr.evaluation.cases import Case
from dmcvr.evaluation.figures.withheld import SHOWN, spectra_drawing, withheld_drawing, withheld_grid
from dmcvr.evaluation.methods import Comparison
from dmcvr.evaluation.withheld import ACQUIRED, withheld_slices


@pytest.fixture(scope="module")
def item(phantom):
    case = Case("p01_ED", phantom.sax, phantom.sax_labels[0])
    return withheld_slices(case, None, Comparison(("nearest", "shape")))


def test_every_second_slice_stands_beside_what_the_methods_make_of_its_neighbours(item, phantom):
    assert list(item.images) == list(item.labels) == [ACQUIRED, "nearest", "shape"]
    count = (len(phantom.sax_labels[0]) - 1) // 2
    for images, labels in zip(item.images.values(), item.labels.values(), strict=True):
        assert images.shape == labels.shape
        assert len(images) == count
        assert images.min() >= 0
        assert images.max() <= 1
    # Square to within a pixel, about the heart, which lies in it whole.
    height, width = item.images[ACQUIRED].shape[1:]
    assert abs(height * item.spacing[1] - width * item.spacing[0]) < 2
    drawn = phantom.sax_labels[0, 1::2]
    assert (item.labels[ACQUIRED] > 0).sum() == (drawn > 0).sum()
    # Of two equally near slices rounding may take either, but none is taken that was withheld.
    areas = (phantom.sax_labels[0] > 0).sum((1, 2))
    for index, area in enumerate((item.labels["nearest"] > 0).sum((1, 2))):
        assert area in (areas[2 * index], areas[2 * index + 2])


def test_a_short_stack_withholds_nothing(phantom):
    short = Case("p01_ED", phantom.sax.select(slices=slice(4, 6)), phantom.sax_labels[0, 4:6])
    assert withheld_slices(short, None, Comparison(("nearest",))) is None


def test_a_row_a_slice_and_a_pair_of_columns_a_method(item, texts):
    grid = withheld_grid(item)
    assert len(grid.rows) == SHOWN
    assert grid.columns == ("Acquired", "", "Nearest neighbour", "", "Shape", "")
    for row in grid.rows:
        assert not row[1].lines
        assert all(panel.reference for panel in row[1::2])
        assert row[5].lines
        assert 0 <= float(row[5].text) <= 1
    assert max(float(row[5].text) for row in grid.rows) > 0.8
    drawing = withheld_drawing("slices-best", "Best of 1", item)
    assert drawing.caption.startswith("Best of 1: ")
    assert {"Acquired", "Shape", "experts"} <= set(texts(drawing.draw()))


def test_spectra_of_all_cases_and_methods_are_drawn_from_coarse_to_fine(item, texts):
    drawing = spectra_drawing([item, item])
    assert "p01_ED, p01_ED" in drawing.caption
    figure = drawing.draw()
    assert {"Acquired", "Nearest neighbour", "Shape"} <= set(texts(figure))
    for line in figure.axes[0].lines:
        power = line.get_ydata()
        assert np.isfinite(power).all()
        assert power[0] > 100 * power[-1] > 0
