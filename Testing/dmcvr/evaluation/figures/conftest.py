import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pixels():
    """Draws a figure: (H, W, 3) uint8."""

    def draw(figure) -> np.ndarray:
        file = io.BytesIO()
        figure.savefig(file, dpi=80)
        return np.array(Image.open(file).convert("RGB"))

    return draw


@pytest.fixture
def texts():
    """All words in a figure."""
    from matplotlib.text import Text

    return lambda figure: [item.get_text() for item in figure.findobj(Text) if item.get_text()]
