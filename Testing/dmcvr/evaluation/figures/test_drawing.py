import subprocess
import sys

import pytest
from dmcvr.evaluation.figures.drawing import HINT, Drawing, can_draw, new_figure, write_drawings


def test_drawings_are_written_under_their_names(tmp_path):
    def draw():
        figure = new_figure(2, 1)
        figure.text(0.5, 0.5, "text")
        return figure

    drawings = [Drawing("one", "First.", draw), Drawing("two", "Second.", draw)]
    captions = write_drawings(tmp_path, "table", drawings)
    assert captions == {"table-one.png": "First.", "table-two.png": "Second."}
    one, two = ((tmp_path / name).read_bytes() for name in captions)
    assert one[:4] == b"\x89PNG"
    assert one == two


def test_without_matplotlib_nothing_can_be_drawn(monkeypatch):
    assert can_draw()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not can_draw()
    assert 'pip install "dmcvr[evaluate]"' in HINT


@pytest.mark.slow
def test_figures_import_matplotlib_only_to_draw_and_never_pyplot():
    program = (
        "import sys\n"
        "import dmcvr.evaluation.figures.agreement, dmcvr.evaluation.figures.boxes\n"
        "from dmcvr.evaluation.figures.drawing import new_figure\n"
        "before = 'matplotlib' in sys.modules\n"
        "new_figure(1, 1)\n"
        "print(before, 'matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]
