import numpy as np
import pytest
from dmcvr.cohort.histogram import histogram


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0, 5.0], list(np.random.default_rng(1).normal(size=500))])
def test_bars_add_up_to_the_whole(values):
    drawn = histogram(values, "Title", "ml")
    heights = [bar.height for bar in drawn.bars]
    assert sum(heights) / max(heights) * drawn.most == pytest.approx(len(values))
    assert drawn.spread.startswith(f"n = {len(values)};")
