"""Links between documents lead somewhere, and so do the paths they quote."""

import re

import pytest
from markdownfiles import DOCUMENTS, ROOT, Document, name_of

PLACES = re.compile(r"^(Testing|Resources|DMCVRReconstruction)/[\w./-]+$")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_relative_link_resolves(path):
    for link in Document.read(path).links():
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in Document.read(target).anchors(), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_quoted_path_exists(path):
    document = Document.read(path)
    words = [word for code in (*document.spans(), *document.command_lines()) for word in code.split()]
    for word in words:
        if PLACES.match(word):
            assert (ROOT / word).exists(), word


def test_every_page_is_reached_from_the_readme():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        links = [link.partition("#")[0] for link in Document.read(path).links() if ":" not in link]
        waiting += [(path.parent / link).resolve() for link in links if link]
    assert seen == set(DOCUMENTS)


def test_the_readme_fits_on_one_screen_and_names_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert "make demo" in text
    assert "make test" in text
    assert "research use only" in text


def test_pictures_that_no_document_shows_are_not_kept():
    shown = {
        (path.parent / link).resolve()
        for path in DOCUMENTS
        for link in Document.read(path).links()
        if ":" not in link
    }
    kept = {path for folder in ("Documentation/pictures", "Screenshots") for path in pictures(folder)}
    assert kept
    assert kept <= shown


def pictures(folder):
    return (ROOT / "Resources" / folder).iterdir()
