import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.figures.surfaces import Solid, surface_drawing, surface_grid

GRID = Grid(np.zeros(3), np.array([2.0, 0, 0]), np.array([0, 2.0, 0]), np.array([0, 0, 2.0]), (40, 60, 60))


def heart(top: int) -> np.ndarray:
    """A cone of muscle about a cavity, apex at the first planes, a block beside it for the RV."""
    z, y, x = np.indices(GRID.shape)
    radius = np.hypot(y - 30, x - 24)
    labels = np.zeros(GRID.shape, np.uint8)
    labels[radius < 4 + 0.3 * z] = LVM
    labels[(radius < 0.3 * z) & (z > 6)] = LVC
    labels[(abs(y - 30) < 6) & (x > 40) & (x < 48) & (z > 10)] = RVC
    labels[top:] = labels[:4] = 0
    return labels


def test_a_row_a_side_and_a_column_a_heart_at_one_scale(pixels, texts):
    solids = [Solid("Shape", heart(30), GRID), Solid("Truth", heart(36), GRID)]
    grid = surface_grid(solids)
    assert (grid.columns, grid.titles) == (("Shape", "Truth"), ("from the front", "from the side"))
    for row in grid.rows:
        assert row[0].image.shape == row[1].image.shape
        short, tall = ((panel.image.min(-1) < 0.97).any(1).sum() for panel in row)
        # A heart that ends 6 planes of 2 mm earlier is so much shorter in a picture of 1 mm.
        assert tall - short == pytest.approx(12, abs=2)
    drawing = surface_drawing("surfaces-best", "Best", solids)
    assert drawing.caption.startswith("Best: the ventricles' surfaces")
    figure = drawing.draw()
    assert pixels(figure).std() > 10
    assert {"Shape", "Truth", "from the front", "from the side"} <= set(texts(figure))


def test_without_a_long_axis_there_is_no_side_to_see_it_from():
    with pytest.raises(InputError):
        surface_grid([Solid("Shape", np.zeros(GRID.shape, np.uint8), GRID)])
