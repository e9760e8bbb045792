"""Every test that a document's tables name exists, and every row names one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ["TRUST.md"]


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all tests."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "Testing").rglob("test_*.py")]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def rows(document: str) -> list[list[str]]:
    """The cells of every row of the document's tables, without heads."""
    lines = (ROOT / "Resources" / "Documentation" / document).read_text(encoding="utf-8").splitlines()
    found = []
    for before, line in zip(["", *lines], lines, strict=False):
        is_rule = re.fullmatch(r"\|[-|: ]+\|", line)
        if is_rule:
            assert before.rstrip(" |").endswith("test"), "the last column is that of the tests"
            found.pop()
        elif line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_row_names_tests_and_all_of_them_exist(document, tests):
    table = rows(document)
    assert len(table) > 5
    for *_, cell in table:
        named = re.findall(r"`(\w+)`", cell)
        assert named, f"a row names no test: {cell}"
        assert [name for name in named if name not in tests] == []
