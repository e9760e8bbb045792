"""Command lines that documents quote are read by the real parser, and the modules they name are there."""

import argparse
import importlib.util
import re
import shlex

import pytest
from dmcvr.cli.arguments.parser import build_parser
from markdownfiles import DOCUMENTS, ROOT, Document, name_of


def children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Its subcommands."""
    return {
        name: child
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, child in action.choices.items()
    }


def parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser and all below it."""
    return [parser, *(each for child in children(parser).values() for each in parsers(child))]


def dmcvr_lines(document: Document) -> list[list[str]]:
    """The arguments of every ``dmcvr`` that a code block runs, with its variables put in."""
    found, variables = [], {}
    for line in document.command_lines():
        if assigned := re.match(r"(\w+)=(['\"])(.*)\2$", line):
            variables[assigned[1]] = assigned[3]
            continue
        line = re.sub(r"\$(\w+)", lambda name: variables.get(name[1], "3"), line)
        if program := re.match(r"(?:.*? -m )?dmcvr (.*)$", line):
            found.append(shlex.split(program[1]))
    return found


LINES = [(path, line) for path in DOCUMENTS for line in dmcvr_lines(Document.read(path))]


@pytest.mark.parametrize(
    ("path", "line"), LINES, ids=[f"{name_of(path)}: {' '.join(line)[:60]}" for path, line in LINES]
)
def test_every_command_line_in_a_block_is_read(path, line, capsys):
    try:
        build_parser().parse_args(line)
    except SystemExit:
        pytest.fail(capsys.readouterr().err)


def quoted_within_lines(path):
    """Code within lines that is a ``dmcvr`` command, whole or in part."""
    return [code for code in Document.read(path).spans() if code.startswith("dmcvr ")]


def loosened(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Its required arguments may be missing, as prose leaves them out."""
    for action in parser._actions:
        action.required = False
        if not action.option_strings and action.nargs is None:
            action.nargs = "?"
    return parser


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_within_lines_exist_with_their_options(path, capsys):
    for code in quoted_within_lines(path):
        parser, words = build_parser(), shlex.split(code)[1:]
        while words and words[0] in children(parser):
            parser = children(parser)[words.pop(0)]
        words = ["3" if word == "N" else word for word in words if word not in ("...", "--help", "COMMAND")]
        try:
            loosened(parser).parse_args(words)
        except SystemExit:
            pytest.fail(f"{code}: {capsys.readouterr().err}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_options_within_lines_exist_and_take_the_value_named(path):
    known = {}
    for parser in parsers(build_parser()):
        for action in parser._actions:
            for option in action.option_strings:
                known.setdefault(option, []).append(action)
    scripts = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "Testing").rglob("*.py"))
    for code in Document.read(path).spans():
        if not code.startswith("--"):
            continue
        for option, value in re.findall(r"(?<!\S)(--[\w-]+)(?: ([^\s-]\S*))?", code):
            assert option in known or f'"{option}"' in scripts, code
            choices = {choice for action in known.get(option, []) for choice in action.choices or ()}
            assert not choices or value in {"", "...", *choices}, code


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_scripts_in_documents_take_the_options_shown(path):
    document = Document.read(path)
    for code in (*document.command_lines(), *document.spans()):
        if script := re.search(r"\bpython (Testing/\S+\.py)(.*)", code.partition(" -- ")[0]):
            text = (ROOT / script[1]).read_text(encoding="utf-8")
            for option in re.findall(r"(?<!\S)--[\w-]+", script[2]):
                assert f'"{option}"' in text, code


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_modules_in_documents_exist(path):
    """Dotted names within lines, as ``dmcvr.core.errors.InputError``; changelogs also name what is gone."""
    if path.name == "CHANGELOG.md":
        return
    for code in Document.read(path).spans():
        if not re.fullmatch(r"(dmcvr|DMCVRReconstructionLib)(\.\w+)+", code):
            continue
        assert exists(code), code


def exists(dotted: str) -> bool:
    """Whether ``dotted`` is a module, or a name that its module's source defines."""
    folder = ROOT / "DMCVRReconstruction"
    module, _, name = dotted.rpartition(".")
    for path in (dotted, module):
        place = folder / path.replace(".", "/")
        if place.is_dir() and path == dotted:
            return True
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                text = file.read_text(encoding="utf-8")
                defined = rf"^(class|def) {name}\b|^{name}\b|^from \.\S+ import .*\b{name}\b"
                return path == dotted or bool(re.search(defined, text, re.M))
    return False


def test_the_package_is_the_one_that_documents_speak_of():
    assert importlib.util.find_spec("dmcvr").origin.startswith(str(ROOT))
