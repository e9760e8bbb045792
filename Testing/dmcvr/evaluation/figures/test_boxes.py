from math import inf, nan

import pytest
from dmcvr.evaluation.figures.boxes import box_drawing, scores
from dmcvr.evaluation.summary import Column, Row, Table

DICE, OTHER = Column("Dice", drawn="Dice"), Column("VOE %")


def table(keys, *rows) -> Table:
    return Table("A title", keys, (DICE, OTHER, Column("SSIM", drawn="Similarity")), rows)


ROWS = (
    Row("a", ("LVC", "linear"), {"Dice": 0.9, "SSIM": 0.5}),
    Row("a", ("LVC", "linear"), {"Dice": 0.7}),
    Row("b", ("LVC", "linear"), {"Dice": inf}),
    Row("c", ("LVC", "dmcvr"), {"Dice": 0.95}),
    Row("c", ("RVC", "dmcvr"), {"Dice": nan}),
)


def test_a_box_holds_the_finite_means_of_the_cases():
    found = scores(table(("structure", "method"), *ROWS), DICE)
    assert found == {"LVC": {"linear": [pytest.approx(0.8)], "dmcvr": [0.95]}}


@pytest.mark.parametrize("keys", [("structure", "method"), ("phase", "structure"), ("kept gap", "method")])
def test_structures_stand_along_the_axis_or_else_the_first_entries(keys):
    found = scores(table(keys, Row("a", ("one", "two"), {"Dice": 1.0})), DICE)
    assert found == ({"two": {"one": [1.0]}} if keys[1] == "structure" else {"one": {"two": [1.0]}})


def test_panels_are_those_of_the_columns_marked_and_present(texts, pixels):
    drawing = box_drawing(table(("structure", "method"), *ROWS))
    assert drawing.name == "boxes"
    assert drawing.caption.startswith("A title, case by case.")
    figure = drawing.draw()
    words = texts(figure)
    assert [axes.get_ylabel() for axes in figure.axes] == ["Dice", "Similarity"]
    assert {"Linear", "DMCVR", "LVC"} <= set(words)
    assert "VOE %" not in words
    assert (pixels(figure) < 128).any()


def test_a_table_that_marks_no_column_shows_all(texts):
    plain = Table("T", ("structure", "method"), (OTHER,), (Row("a", ("LVC", "x"), {"VOE %": 1.0}),))
    assert "VOE %" in texts(box_drawing(plain).draw())


def test_a_table_without_such_scores_has_no_figure():
    assert box_drawing(table(("structure", "method"), Row("a", ("LVC", "x"), {"VOE %": 1.0}))) is None


def test_a_table_of_more_or_fewer_keys_than_two_has_no_figure():
    for group in (("LVC",), ("LVC", "exact", "x")):
        keys = ("structure", "labels", "method")[: len(group)]
        assert box_drawing(table(keys, Row("a", group, {"Dice": 1.0}))) is None
