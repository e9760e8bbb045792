import numpy as np
from dmcvr.cohort.scatter import MOST_NAMES, MOST_POINTS, Axis, NamedPoint, scatter

AXES = Axis("LV", "ml"), Axis("RV", "ml")


def test_points_lie_where_the_axes_say():
    values = np.array([[0.0, 40.0], [100.0, 60.0], [50.0, 55.0]])
    drawn = scatter("Title", AXES, values, [])
    (x0, first), (x1, last) = drawn.columns[0], drawn.columns[-1]
    (y0, low), (y1, high) = drawn.rows[0], drawn.rows[-1]
    for (x, y), (across, up) in zip(drawn.points, values, strict=True):
        assert np.isclose((x - x0) / (x1 - x0), (across - float(first)) / (float(last) - float(first)))
        assert np.isclose((y - y0) / (y1 - y0), (up - float(low)) / (float(high) - float(low)))
    assert y0 > y1


def test_the_diagonal_is_where_both_are_the_same():
    drawn = scatter("Title", AXES, np.array([[60.0, 60.0], [90.0, 70.0]]), [], alike=True)
    x0, y0, x1, y1 = drawn.diagonal
    x, y = drawn.points[0]
    assert np.isclose((x - x0) / (x1 - x0), (y - y0) / (y1 - y0))
    assert [text for _, text in drawn.columns] == [text for _, text in drawn.rows]


def test_many_points_and_names_are_bounded():
    values = np.random.default_rng(0).normal(100, 20, (4 * MOST_POINTS, 2))
    named = [NamedPoint(str(i), "a", 100.0, 100.0) for i in range(MOST_NAMES + 5)]
    drawn = scatter("Title", AXES, values, named)
    assert len(drawn.points) <= MOST_POINTS + 1
    assert len(drawn.named) == MOST_NAMES
    assert "and 5 more" in drawn.note


def test_equal_numbers_have_a_plot():
    drawn = scatter("Title", AXES, np.array([[50.0, 0.0], [50.0, 0.0]]), [])
    assert np.isfinite(drawn.points).all()
