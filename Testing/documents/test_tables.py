"""The tables that are pinned to tests: every row names tests that exist."""

import ast
import re

import pytest
from markdownfiles import ROOT

UNTESTED = "cannot be detected"
"""What a row says that there is nothing to test of."""
FEWEST = {"INPUT.md": 55, "TRUST.md": 30}
"""Rows by document, at least."""


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all tests."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "Testing").rglob("test_*.py")]
    return {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def rows(document: str) -> list[list[str]]:
    """The cells of every row of the document's tables, without heads."""
    lines = (ROOT / "Resources" / "Documentation" / document).read_text(encoding="utf-8").splitlines()
    found = []
    for before, line in zip(["", *lines], lines, strict=False):
        if re.fullmatch(r"\|[-|: ]+\|", line):
            assert before.rstrip(" |").endswith("test"), "the last column is that of the tests"
            found.pop()
        elif line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


@pytest.mark.parametrize("document", FEWEST)
def test_every_row_names_tests_and_all_of_them_exist(document, tests):
    for _, outcome, cell in rows(document):
        named = re.findall(r"`(\w+)`", cell)
        assert named or UNTESTED in outcome, f"a row names no test: {outcome}"
        assert [name for name in named if name not in tests] == []


@pytest.mark.parametrize("document", FEWEST)
def test_the_tables_have_rows_and_none_twice(document):
    kinds = [row[0] for row in rows(document)]
    assert len(kinds) >= FEWEST[document]
    assert len(set(kinds)) == len(kinds)
    assert all(kinds)
