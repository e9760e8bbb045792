"""The table of odd and bad input names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

TESTING = Path(__file__).resolve().parents[1]
DOCUMENT = TESTING.parent / "Resources" / "Documentation" / "INPUT.md"
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| kind |")
]


@pytest.fixture(scope="module")
def tests():
    """Names of all test functions."""
    return {
        node.name
        for path in TESTING.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_behind_every_row_stands_a_test_that_exists(row, tests):
    kind, outcome, named = row
    assert kind
    found = re.findall(r"`(\w+)`", named)
    # Of what cannot be told there is nothing to test.
    assert found or "cannot be told" in outcome
    assert set(found) <= tests


def test_the_table_has_rows():
    assert len(ROWS) > 40
    assert len({row[0] for row in ROWS}) == len(ROWS)
