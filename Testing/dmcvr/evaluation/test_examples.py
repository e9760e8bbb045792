from math import nan

import pytest
from dmcvr.evaluation.examples import example_cases, examples
from dmcvr.evaluation.summary import Column, Row, Table


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"a": 0.5, "b": 0.9, "c": 0.7, "d": 0.1}, {"b": "best", "c": "median", "d": "worst"}),
        ({"a": 0.5, "b": 0.9, "c": 0.7}, {"b": "best", "c": "median", "a": "worst"}),
        ({"a": 0.5, "b": 0.9}, {"b": "best", "a": "worst"}),
        ({"a": 0.5}, {"a": "best"}),
        ({"c": 0.5, "b": 0.5, "a": 0.5}, {"a": "best", "b": "median", "c": "worst"}),
        ({}, {}),
    ],
)
def test_best_median_and_worst(scores, expected):
    assert examples(scores) == expected


def table(*rows: Row) -> Table:
    return Table("T", ("structure", "method"), (Column("Dice"),), rows)


def test_the_mean_of_the_structures_by_dmcvr_decides():
    rows = [
        *(Row("a", (name, "dmcvr"), {"Dice": score}) for name, score in (("LVC", 0.9), ("LVM", 0.5))),
        *(Row("b", (name, "dmcvr"), {"Dice": 0.8}) for name in ("LVC", "LVM")),
        Row("a", ("all", "dmcvr"), {"Dice": 1.0}),
        Row("a", ("LVC", "linear"), {"Dice": 1.0}),
        Row("c", ("LVC", "dmcvr"), {"Dice": nan}),
    ]
    assert example_cases(table(*rows), "Dice") == {"b": "best", "a": "worst"}


def test_without_dmcvr_the_last_method_decides():
    rows = [
        Row(case, ("LVC", method), {"Dice": score})
        for case, method, score in (
            ("a", "nearest", 0.1),
            ("b", "nearest", 0.9),
            ("a", "linear", 0.9),
            ("b", "linear", 0.1),
        )
    ]
    assert example_cases(table(*rows), "Dice") == {"a": "best", "b": "worst"}
