"""The wheel, as a user gets it: licences, links, and all that the package needs."""

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "DMCVRReconstruction")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that nothing an earlier build left gets into it."""
    place = tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, place)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    subprocess.run(command, cwd=place, check=True, timeout=600)
    with zipfile.ZipFile(next(place.glob("*.whl"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


@pytest.mark.slow
def test_it_tells_both_licences_and_carries_their_texts(wheel, metadata):
    assert metadata["License-Expression"] == "Apache-2.0 AND CC-BY-NC-SA-4.0"
    (folder,) = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    texts = [wheel.read(f"{folder}/licenses/{file}").decode() for file in metadata.get_all("License-File")]
    assert len(texts) == 2
    assert "Apache License" in texts[0] + texts[1]
    assert "Attribution-NonCommercial-ShareAlike 4.0 International" in texts[0] + texts[1]


@pytest.mark.slow
def test_its_page_on_the_index_has_pictures_links_and_an_author(metadata):
    page = metadata.get_payload()
    links = re.findall(r"\]\(([^)\s]+)\)", page) + re.findall(r'<img[^>]*\bsrc="([^"]+)"', page)
    assert len(links) > 15
    assert [link for link in links if not link.startswith("https://")] == []
    assert "https://raw.githubusercontent.com/dmcvr/DMCVR/main/Resources/Screenshots/comparison.png" in links
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Author"] == "DMCVR contributors"
    urls = dict(item.split(", ", 1) for item in metadata.get_all("Project-URL"))
    assert urls["Homepage"] == "https://github.com/dmcvr/DMCVR"
    assert "Typing :: Typed" in metadata.get_all("Classifier")


@pytest.mark.slow
def test_it_has_all_modules_the_types_the_templates_and_the_model(wheel):
    package = ROOT / "DMCVRReconstruction"
    names = set(wheel.namelist())
    assert {path.relative_to(package).as_posix() for path in (package / "dmcvr").rglob("*.py")} <= names
    bundle = package / "dmcvr" / "model" / "bundles"
    assert {path.relative_to(package).as_posix() for path in bundle.rglob("*") if path.is_file()} <= names
    templates = {path.relative_to(package).as_posix() for path in (package / "dmcvr").rglob("templates/*")}
    assert "dmcvr/output/templates/report.html" in templates <= names
    assert "dmcvr/py.typed" in names
    assert not any(name.startswith(("DMCVRReconstructionLib", "Testing")) for name in names)
