"""What pyproject.toml cannot say: on the package index, the README's links lead to the repository."""

import re
from pathlib import Path

from setuptools import setup

PAGES = "https://github.com/dmcvr/DMCVR/blob/main/"
PICTURES = "https://raw.githubusercontent.com/dmcvr/DMCVR/main/"


def readme_for_index(text: str) -> str:
    """``text`` in Markdown with relative links and pictures made absolute."""
    text = re.sub(r"(\]\()(?![\w+.-]+:|#)", rf"\1{PAGES}", text)
    return re.sub(r'(<img\b[^>]*\bsrc=")(?![\w+.-]+:)', rf"\1{PICTURES}", text)


setup(
    long_description=readme_for_index(Path(__file__).with_name("README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
)
