import numpy as np
import pytest
from dmcvr.core.labels import LVC, RVC
from dmcvr.evaluation.figures.panels import Panel, PanelGrid, draw_panels, filled
from dmcvr.evaluation.figures.style import LABEL_COLOURS


def seen(image: np.ndarray, colour: str) -> int:
    """Pixels of about that colour."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(image.astype(int) - wanted).max(-1) < 40).sum())


def test_panels_keep_proportion_and_scale():
    wide = Panel(np.zeros((10, 40)), (1.0, 2.0))  # 40 by 20 mm
    tall = Panel(np.zeros((60, 20)), (1.0, 1.0))
    figure = draw_panels(PanelGrid(((wide, None), (tall, wide)), ("A", "B\nC"), ("x", "y")))
    inches = [axes.get_position().size * figure.get_size_inches() for axes in figure.axes]
    scale = inches[0][0] / 40
    for found, size in zip(inches, ((40, 20), (20, 60), (40, 20)), strict=True):
        np.testing.assert_allclose(found, np.array(size) * scale)
    left = [axes.get_position().x0 for axes in figure.axes]
    assert left[2] > left[1]


def test_what_is_drawn_lies_where_it_belongs():
    line, dot = np.array([[2.0, 3.0], [5.0, 3.0]]), np.array([[1.0, 6.0]])
    panel = Panel(np.zeros((8, 10)), (2.0, 1.5), lines={LVC: [line]}, points={RVC: dot}, text="0.93")
    (axes,) = draw_panels(PanelGrid(((panel,),), ("A",), ("",))).axes
    drawn = {item.get_color(): item.get_xydata() for item in axes.lines}
    # Pixel centres are half a pixel from the corner; x is 2 mm a pixel, y 1.5 mm.
    np.testing.assert_allclose(drawn[LABEL_COLOURS[LVC]], [[7, 3.75], [7, 8.25]])
    np.testing.assert_allclose(drawn[LABEL_COLOURS[RVC]], [[13, 2.25]])
    assert axes.get_xlim() == (0, 20)
    assert axes.get_ylim() == (12, 0)
    assert "0.93" in [text.get_text() for text in axes.texts]


def test_labels_are_filled_with_their_colours(pixels, texts):
    labels = np.zeros((20, 20), np.uint8)
    labels[5:15, 2:10], labels[5:15, 10:18] = LVC, RVC
    figure = draw_panels(PanelGrid(((filled(labels, (1.0, 1.0)),),), ("A",), ("row",), "truth", "points"))
    image = pixels(figure)
    assert seen(image, LABEL_COLOURS[LVC]) == pytest.approx(seen(image, LABEL_COLOURS[RVC]), rel=0.2)
    assert {"A", "row", "LVC", "LVM", "RVC", "truth", "points"} <= set(texts(figure))
    bare = draw_panels(PanelGrid(((filled(labels, (1.0, 1.0)),),), ("",), ("",)))
    assert not {"truth", "points"} & set(texts(bare))
