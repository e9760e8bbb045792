import io

import numpy as np
import pytest
from dmcvr.cohort.preview import SIDE, picture_of_stack
from dmcvr.core.stack import Stack
from PIL import Image


@pytest.mark.parametrize(("shape", "spacing"), [((60, 60), (1.0, 1.0)), ((30, 60), (1.0, 2.0))])
def test_a_square_field_of_view_is_a_square_picture(shape, spacing):
    frames = np.random.default_rng(0).uniform(1, 2, (1, 3, *shape)).astype(np.float32)
    origins = np.arange(3)[:, None] * np.array([0, 0, 8.0])
    stack = Stack(frames, origins, np.array([spacing[0], 0, 0]), np.array([0, spacing[1], 0]))
    sheet = np.asarray(Image.open(io.BytesIO(picture_of_stack(stack))).convert("L"), int)
    assert sheet.shape == (SIDE, 3 * SIDE)
    assert (sheet[[0, -1]].mean(1) > 60).all()  # nothing of it is left empty
