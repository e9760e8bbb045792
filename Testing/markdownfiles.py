"""The documents of the project, taken apart: links, headings, code blocks and code within lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "Resources").rglob("*.md")])
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)


def name_of(path: Path) -> str:
    """The document's path from the root, to name a test by."""
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Document:
    """A Markdown file: its text, without the code blocks, and these as (language, text)."""

    path: Path
    prose: str
    blocks: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path) -> Document:
        text = path.read_text(encoding="utf-8")
        blocks = tuple((language, code) for _, language, code in FENCE.findall(text))
        return cls(path, FENCE.sub("", text), blocks)

    def links(self) -> list[str]:
        """Where its links and pictures lead."""
        prose = re.sub(r"`[^`]*`", "", self.prose)
        return re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'<img[^>]*\bsrc="([^"]+)"', prose)

    def anchors(self) -> set[str]:
        """What a link may name behind #, as GitHub forms it from the headings."""
        headings = re.findall(r"^#+ +(.+)$", self.prose, re.M)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def spans(self) -> list[str]:
        """The code within lines, on one line each."""
        return [re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", self.prose)]

    def command_lines(self) -> Iterator[str]:
        """The lines of blocks that name no language, put together where they go on, without comments."""
        for language, code in self.blocks:
            if language in ("", "bash"):
                for line in re.sub(r"\\\n\s*", " ", code).splitlines():
                    yield re.sub(r"(^|\s+)#.*$", "", line).strip()
