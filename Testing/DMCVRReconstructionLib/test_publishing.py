"""The checks of Slicer's Extensions Index (scripts/check_description_files.py and the template of its pull
requests) that need neither the network nor the public repository. CONTRIBUTING.md lists the others.
"""

import importlib
import json
import re
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from markdownfiles import ROOT
from PIL import Image

# slicer-extension-catalog-entry-schema-v1.0.2.json of Slicer 5.12
SCHEMA = {
    "$schema": str, "category": str, "scm_url": str, "scm_revision": str, "scm_type": str, "tier": int,
    "build_dependencies": list, "dicom_support_rule": str, "build_subdirectory": str, "enabled": bool,
}  # fmt: skip
REQUIRED = ("$schema", "category", "scm_url")
WEIGHTS_LICENCE = "CC BY-NC-SA 4.0"
ENTRY = ROOT / "DMCVR.json"
CMAKE = (ROOT / "CMakeLists.txt").read_text()
README = (ROOT / "README.md").read_text()


@pytest.fixture
def entry() -> dict:
    return json.loads(ENTRY.read_text())


def value(name: str) -> str:
    """A variable as the Index finds it: in quotes, on one line."""
    return re.search(rf'set\s*\({name}\s*"([^"\n]+)"[ ]*\)', CMAKE)[1]


def test_the_entry_follows_the_schema(entry):
    assert b"\r" not in ENTRY.read_bytes()
    assert all(key in entry for key in REQUIRED)
    for key, found in entry.items():
        assert type(found) is SCHEMA[key], key
    assert all(isinstance(name, str) for name in entry["build_dependencies"])
    assert 1 <= entry["tier"] <= 5
    assert entry["$schema"].endswith("/slicer-extension-catalog-entry-schema-v1.0.2.json#")


def test_category_name_and_address_are_accepted(entry):
    assert entry["category"] == "Cardiac"  # one of the Index's
    assert not ENTRY.stem.lower().startswith("slicer")
    assert urlsplit(entry["scm_url"]).scheme in ("git", "https")
    assert re.search(r"project\s*\(\s*([^\s\)\n\r]+)", CMAKE)[1] == ENTRY.stem


def test_the_licences_of_code_and_weights_are_told():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    card = json.loads((ROOT / "DMCVRReconstruction/dmcvr/model/bundles/compact/model.json").read_text())
    assert WEIGHTS_LICENCE in json.dumps(card)
    description = value("EXTENSION_DESCRIPTION")
    for text in (description, README):
        assert WEIGHTS_LICENCE in text
        assert re.search(r"Apache\s+License\s+2\.0", text)
    assert "research use only" in description


def test_icon_and_screenshots_are_images_in_the_repository():
    addresses = [value("EXTENSION_ICONURL"), *value("EXTENSION_SCREENSHOTURLS").split()]
    assert len(addresses) > 1
    for address in addresses:
        host, path = urlsplit(address).netloc, urlsplit(address).path
        assert host == "raw.githubusercontent.com"
        with Image.open(ROOT / path.split("/main/")[1]) as image:
            assert image.format == "PNG"


def test_the_home_page_tells_what_the_index_asks_for():
    assert README.startswith("# DMCVR")
    assert re.search(r'<img src="Resources/Screenshots/\S+"', README)
    assert "## Modules" in README
    for module in (path.parent.name for path in ROOT.glob("*/*.py") if path.stem == path.parent.name):
        title = re.sub(r"(?<=R)(?=Reconstruction)", " ", module)
        assert f"**{title}**" in README
    assert "https://arxiv.org/abs/2308.09223" in README
    assert "SLICER.md#tutorial" in README


@pytest.mark.usefixtures("application")
def test_the_help_text_leads_to_the_documentation():
    module = importlib.import_module("DMCVRReconstruction")
    parent = SimpleNamespace(path=module.__file__)
    module.DMCVRReconstruction(parent)
    (address,) = re.findall(r'href="([^"]+)"', parent.helpText)
    assert address == module.DOCUMENTATION
    assert (ROOT / address.split("/blob/main/")[1]).is_file()
    assert WEIGHTS_LICENCE in parent.helpText
    assert "research use only" in parent.helpText
    assert "arxiv.org/abs/2308.09223" in parent.acknowledgementText
