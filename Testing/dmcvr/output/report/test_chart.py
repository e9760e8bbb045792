import numpy as np
from dmcvr.output.report.chart import Series, volume_chart


def test_curve_reaches_top_and_bottom_where_the_volumes_do():
    left = Series("LV", "red", (100.0, 60.0, 20.0, 70.0))
    drawing = volume_chart([left, Series("RV", "blue", (50.0,) * 4)], {"ES": 2})
    line = drawing.lines[0].points[0]
    assert [len(item.points) for item in drawing.lines] == [1, 1]
    assert np.argmax(line[:, 1]) == 2  # down is larger
    slope = np.diff(line[:, 1]) / -np.diff([100, 60, 20, 70])
    np.testing.assert_allclose(slope, slope[0], rtol=0.01)
    assert drawing.marks == ((line[2, 0], "ES"),)


def test_curve_is_broken_where_a_volume_is_not_known():
    drawing = volume_chart([Series("LV", "red", (None, 60.0, 20.0, None, 70.0))])
    assert [len(points) for points in drawing.lines[0].points] == [2, 1]
