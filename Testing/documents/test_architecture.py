"""ARCHITECTURE.md names the rooms there are, in its tables and its picture, and modules that exist."""

import re

import pytest
from markdownfiles import ROOT, Document

MODULES = ROOT / "DMCVRReconstruction"
ARCHITECTURE = Document.read(ROOT / "ARCHITECTURE.md")


def folders(package: str) -> list[str]:
    """The packages within a package."""
    return sorted(path.parent.name for path in (MODULES / package).glob("*/__init__.py"))


@pytest.mark.parametrize("package", ["dmcvr", "DMCVRReconstructionLib"])
def test_the_table_has_a_row_for_every_room_and_no_other(package):
    head = f"| room of `DMCVRReconstruction/{package}` | what lies in it |\n|---|---|\n"
    table = ARCHITECTURE.prose.partition(head)[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \| .+ \|$", table, re.M)) == folders(package)


def test_the_picture_shows_every_room_below_the_one_that_imports_it():
    picture = (ROOT / "Resources/Documentation/pictures/rooms.svg").read_text(encoding="utf-8")
    pairs = re.findall(r'class="name" x="\d+" y="(\d+)">(\w+)</text>', picture)
    shown = {name: int(y) for y, name in pairs if name in folders("dmcvr")}
    assert sorted(shown) == folders("dmcvr")
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = re.search(r'name = "The rooms of the house".*?layers = \[\n(.*?)\n\]', contract, re.S)[1]
    order = [re.findall(r"\w+", line) for line in layers.splitlines()]
    heights = [{shown[name] for name in names if name in shown} for names in order]
    assert all(len(height) == 1 for height in heights)
    levels = [height.pop() for height in heights]
    assert levels == sorted(levels)


def test_modules_it_names_exist():
    spans = ARCHITECTURE.spans()
    files = [code for code in spans if re.fullmatch(r"\w+(/\w+)+\.py", code)]
    dotted = [code for code in spans if re.match(rf"({'|'.join(folders('dmcvr'))})\.(?!json)\w", code)]
    assert len(files) > 4
    assert len(dotted) > 8
    for code in files:
        assert (ROOT / code).is_file() or (MODULES / "dmcvr" / code).is_file(), code
    for code in dotted:
        module, _, name = code.rpartition(".")
        place = MODULES / "dmcvr" / module.replace(".", "/")
        if (place / f"{name}.py").is_file():
            continue
        assert re.search(rf"^(class|def) {name}\b", place.with_suffix(".py").read_text(), re.M), code
