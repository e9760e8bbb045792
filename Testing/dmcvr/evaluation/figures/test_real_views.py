from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.labels import LVC
from dmcvr.evaluation.compared_cuts import Cut
from dmcvr.evaluation.figures.real_views import view_drawing, view_grid


@pytest.fixture
def cut():
    image, labels = np.full((20, 30), 0.5), np.zeros((20, 30), np.uint8)
    labels[5:15, 10:20] = LVC
    line = {LVC: [np.array([[5.0, 5.0], [9.0, 9.0]])]}
    both = {"nearest": image, "dmcvr": image / 2}, {"nearest": labels, "dmcvr": labels}
    return Cut("4ch", (1.0, 1.0), *both, line, image / 3, line, {LVC: np.array([[3.0, 3.0]])})


def test_columns_are_those_of_the_papers_figure(cut):
    grid = view_grid([cut])
    assert [heading.split("\n")[0] for heading in grid.columns] == [
        "Nearest neighbour",
        "labels",
        "DMCVR",
        "labels",
        "Long-axis",
        "outlines of",
    ]
    ((_, labels, image, _, real, lined),) = grid.rows
    assert labels.labels is cut.labels["nearest"]
    assert image.image is cut.images["dmcvr"]
    assert (real.image is cut.real, real.lines) == (True, {})
    assert (lined.lines, lined.reference, lined.points) == (cut.outlines, cut.truth, cut.points)
    assert (grid.titles, grid.reference, grid.points) == (("4ch",), "truth", "contour points")


def test_without_real_images_their_columns_are_left_out_or_empty(cut, pixels):
    without = replace(cut, name="2ch", real=None, truth={}, points={})
    assert len(view_grid([without]).columns) == 4
    mixed = view_grid([without, cut])
    assert mixed.rows[0][4:] == (None, None)
    drawing = view_drawing("views-best", "Best", [without])
    assert drawing.caption == "Best: every method's image and labels on long-axis planes."
    assert "acquired there" in view_drawing("views-best", "Best", [cut]).caption
    assert pixels(drawing.draw()).std() > 10
