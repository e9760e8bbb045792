import numpy as np
from dmcvr.core.labels import LVC, RVC
from dmcvr.evaluation.figures.outlines import outline_drawing, outline_grid


def test_every_slice_is_shown_with_its_outlines_and_points(prism, pixels):
    case = prism(count=7)
    plane = case.stack.plane(2)
    place = plane.origin + 30 * plane.step_y + 36 * plane.step_x
    points = [{} for _ in range(7)]
    points[2] = {LVC: place[None]}
    grid = outline_grid(case.stack, case.labels, points)
    panels = [panel for row in grid.rows for panel in row]
    assert [len(row) for row in grid.rows] == [6, 6]
    assert [panel.text for panel in panels[:7]] == [f"slice {number}" for number in range(1, 8)]
    assert panels[7:] == [None] * 5
    assert all(panel.lines[RVC] for panel in panels[:7])
    # Cropped, the point lies where it lay: in the row and column of the cavity's middle.
    outline = panels[2].lines[LVC][0]
    row, column = panels[2].points[LVC][0]
    middle = outline.mean(0)
    np.testing.assert_allclose((row - middle[0], column - middle[1]), (30 - 36, 0), atol=0.6)
    drawing = outline_drawing("frame000-short-axis", "Frame 0", case.stack, case.labels, points)
    assert drawing.caption.endswith("and contour points as dots.")
    assert pixels(drawing.draw()).std() > 10
