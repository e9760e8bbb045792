"""Hearts that become worse are seen."""

import pytest
from dmcvr.evaluation.register_gain import gain_table
from dmcvr.evaluation.summary import Row


def shapes(case: str, source: str, dice: float) -> Row:
    return Row(case, ("LVM", "exact", source, "dmcvr"), {"Dice": dice})


def test_every_heart_is_compared_with_itself(lines):
    rows = [
        shapes("a", "nothing", 0.9), shapes("a", "3 LAX", 0.95),
        shapes("b", "nothing", 0.8), shapes("b", "3 LAX", 0.79),
    ]  # fmt: skip
    table = lines(gain_table(rows))
    gains = {group[0]: line.cells["Dice gain LVM"].mean for group, line in table.items()}
    assert gains == pytest.approx({"a": 0.05, "b": -0.01})


def test_without_uncorrected_slices_there_is_no_gain():
    assert gain_table([shapes("a", "3 LAX", 0.9)]) is None
