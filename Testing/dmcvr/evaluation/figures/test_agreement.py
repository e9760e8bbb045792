import pytest
from dmcvr.evaluation.agreement import agreement_table
from dmcvr.evaluation.figures.agreement import agreement_drawings

VOLUMES = {"LVC": 100.0, "LVM": 80.0, "RVC": 120.0}


def off(by: float) -> tuple[dict, dict]:
    return {name: value + by for name, value in VOLUMES.items()}, VOLUMES


def test_a_figure_a_method_with_a_panel_a_number(texts, pixels):
    pairs = {
        ("a", "shape"): {"ED": off(4.0)},
        ("b", "shape"): {"ED": off(-2.0)},
        ("a", "disc summation"): {"ED": off(0.0)},
    }
    first, second = agreement_drawings(agreement_table("Clinical numbers", pairs, ()))
    assert (first.name, second.name) == ("agreement-shape", "agreement-disc-summation")
    assert "Shape" in first.caption
    figure = first.draw()
    words = texts(figure)
    assert {"LV EDV", "RV EDV", "LV mass", "mean, ml", "difference, ml", "difference, g"} <= set(words)
    # Bias and limits: 1 and 1 +- 1.96 standard deviations.
    assert {"+1.0", "+9.3", "\N{MINUS SIGN}7.3"} <= set(words)
    dots = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "o"]
    assert dots[0].get_ydata() == pytest.approx([4, -2])
    assert dots[0].get_xdata() == pytest.approx([102, 99])
    assert (pixels(figure) < 128).any()


def test_a_single_patient_has_a_bias_and_no_limits():
    (drawing,) = agreement_drawings(agreement_table("T", {("a", "shape"): {"ED": off(4.0)}}, ()))
    axes = drawing.draw().axes[0]
    assert sum(line.get_linestyle() == "--" for line in axes.lines) == 0
    assert sum(line.get_linestyle() == "-" for line in axes.lines) == 1
