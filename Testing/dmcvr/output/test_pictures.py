import io

import numpy as np
import pytest
from dmcvr.anatomy.cuts import outlines
from dmcvr.core.intensity import grey_limits
from dmcvr.core.labels import COLOURS, LVC, RVC
from dmcvr.output.pictures import picture, png
from PIL import Image


def test_drawn_outline_follows_the_boundary():
    labels = np.zeros((30, 40), np.uint8)
    labels[10:20, 12:28] = RVC
    zoom = 4
    image = picture(np.zeros((30, 40)), (0, 1), zoom, outlines(labels))
    assert image.size == (160, 120)
    drawn = np.abs(np.asarray(image, int) - COLOURS[RVC]).sum(-1) < 60
    rows, columns = np.nonzero(drawn)
    # The edge between pixels 9 and 10 is at 10 * zoom in the enlarged picture, counted from its corner.
    assert abs(rows.min() - 10 * zoom) <= 2
    assert abs(rows.max() + 1 - 20 * zoom) <= 2
    assert abs(columns.min() - 12 * zoom) <= 2
    assert abs(columns.max() + 1 - 28 * zoom) <= 2
    assert not drawn[11 * zoom : 19 * zoom, 13 * zoom : 27 * zoom].any()


def test_grey_window():
    image = np.linspace(-50, 250, 301)[None]
    shown = np.asarray(picture(image, (0.0, 200.0)))
    assert shown[0, 0] == 0
    assert shown[0, -1] == 255
    assert abs(int(shown[0, 150]) - 127) <= 1
    assert grey_limits(np.zeros((3, 3))) == (0.0, 1.0)
    low, high = grey_limits(np.append(np.zeros(1000), np.arange(1, 1001)))
    assert low == pytest.approx(6, abs=1)
    assert high == pytest.approx(995, abs=1)


def test_png_keeps_grey_exact_and_colours_close():
    grey = np.arange(256, dtype=float).reshape(16, 16)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(picture(grey, (0, 255)))))), grey)
    colour = picture(grey, (0, 255), 3, {LVC: [np.array([[2, 2], [2, 12], [12, 12], [2, 2]])]})
    back = np.asarray(Image.open(io.BytesIO(png(colour))).convert("RGB"), int)
    assert np.abs(back - np.asarray(colour, int)).mean() < 4
