import json
from math import inf, isnan, nan

import pytest
from dmcvr.evaluation.summary import Column, Row, Table, as_dict, by_structure, markdown, summarise

ROWS = (
    Row("a", ("x",), {"Dice": 0.2, "error": 1.0}, empty=1),
    Row("a", ("x",), {"Dice": 0.4, "error": 3.0}),
    Row("b", ("x",), {"Dice": 0.7, "error": -2.0}, empty=2),
    Row("c", ("x",), {"Dice": nan}),
    Row("a", ("y",), {"Dice": inf}),
)
TABLE = Table(
    "A title", ("method",), (Column("Dice"), Column("error", 1, agreement=True)), ROWS, ("A note.",)
)


def test_a_case_counts_once_and_what_does_not_exist_not_at_all():
    first, second = summarise(TABLE)
    assert (first.group, first.cases, first.empty) == (("x",), 3, 3)
    dice, error = first.cells["Dice"], first.cells["error"]
    assert (dice.mean, dice.sd, dice.cases) == (pytest.approx(0.5), pytest.approx(0.08**0.5), 2)
    assert (error.mean, error.sd, error.cases) == (pytest.approx(0.0), pytest.approx(8**0.5), 2)
    assert (second.group, second.cells["Dice"].mean, second.cells["error"].cases) == (("y",), inf, 0)
    assert isnan(second.cells["Dice"].sd)


def test_markdown_shows_means_limits_counts_and_notes():
    text = markdown(TABLE)
    assert text.startswith("### A title\n\n| method | Dice | error | cases | empty masks |\n")
    assert "| x | 0.500 (0.283), n = 2 | +0.0 [-5.5, 5.5], n = 2 | 3 | 3 |" in text
    assert "| y | inf | - | 1 | 0 |" in text
    assert text.endswith("\n- A note.\n")


def test_json_has_every_row_and_no_number_that_json_has_not():
    table = json.loads(json.dumps(as_dict(TABLE), allow_nan=False))
    assert [row["case"] for row in table["rows"]] == ["a", "a", "b", "c", "a"]
    assert table["rows"][0] == {
        "case": "a",
        "method": "x",
        "empty_masks": 1,
        "scores": {"Dice": 0.2, "error": 1.0},
    }
    assert table["rows"][3]["scores"] == {"Dice": None}
    summary = table["summary"][0]
    assert (summary["method"], summary["cases"], summary["empty_masks"]) == ("x", 3, 3)
    assert summary["scores"]["error"]["limits_high"] == pytest.approx(1.96 * 8**0.5)


def test_lines_over_all_first_entries_come_last():
    rows = (
        Row("p_ED", ("ED", "LVC"), {"Dice": 0.9}, empty=1),
        Row("q_ED", ("ED", "LVC"), {"Dice": 0.8}),
        Row("p_ES", ("ES", "LVC"), {"Dice": 0.4}),
    )
    table = Table("T", ("phase", "structure"), (Column("Dice"),), rows, overall="both")
    lines = {line.group: line for line in summarise(table)}
    assert list(lines) == [("ED", "LVC"), ("ES", "LVC"), ("both", "LVC")]
    both = lines["both", "LVC"]
    assert (both.cases, both.empty, both.cells["Dice"].mean) == (3, 1, pytest.approx(0.7))
    assert len(as_dict(table)["rows"]) == 3
    # Of a single first entry they would say the same again.
    single = Table("T", ("phase", "structure"), (Column("Dice"),), rows[:2], overall="both")
    assert [line.group for line in summarise(single)] == [("ED", "LVC")]


def test_lines_of_one_structure_stand_together_in_the_order_of_appearance():
    groups = [("all", "p"), ("LVC", "p"), ("all", "q"), ("LVC", "q"), ("all", "p")]
    rows = by_structure([Row(str(number), group, {}) for number, group in enumerate(groups)])
    assert [row.group for row in rows] == [
        ("all", "p"),
        ("all", "q"),
        ("all", "p"),
        ("LVC", "p"),
        ("LVC", "q"),
    ]
