"""The development environment is what was pinned, to the last byte, but for torch, whose build the machine
decides.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pins(text: str) -> set[str]:
    """The pinned versions, with names as package indices spell them."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.M)
    return {f"{re.sub('[-_.]+', '-', name).lower()}=={version}" for name, version in found}


def locked() -> str:
    return "".join(
        (ROOT / name).read_text() for name in ("requirements-lock.txt", "requirements-lock-source.txt")
    )


def test_every_pinned_version_but_torch_is_locked_by_hashes():
    wanted = {pin for pin in pins((ROOT / "constraints.txt").read_text()) if not pin.startswith("torch==")}
    assert len(wanted) > 15
    assert wanted <= pins(locked())


def test_every_locked_version_has_hashes_and_comes_from_no_named_place():
    text = re.sub(r"\\\n", " ", locked())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 50
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", line), line
    assert not re.search(r"https?:|file:|--index|--find-links|nvidia|^torch=", text, re.M)
