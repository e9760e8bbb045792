"""The page of the Python API that `make docs` makes."""

import os
import re
import subprocess
import sys

import dmcvr
import pytest
from markdownfiles import ROOT


@pytest.mark.slow
def test_the_page_has_every_public_name_and_explains_every_keyword(tmp_path):
    (recipe,) = re.findall(r"^docs:.*\n\t\$\(BIN\)/(.+)$", (ROOT / "Makefile").read_text(), re.M)
    program, *words = recipe.split()
    assert words[-1] == "docs"
    done = subprocess.run(
        [sys.executable, "-m", program, *words[:-1], str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "DMCVRReconstruction")},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert "Error" not in done.stderr
    page = (tmp_path / "dmcvr.html").read_text(encoding="utf-8")
    for name in dmcvr.__all__:
        assert f'id="{name}"' in page or name == "__version__", name
    for member in ("save", "surfaces", "to_sitk"):
        assert f'id="Result.{member}"' in page
    for keyword in ("frame", "affine", "stop_log_snr"):
        assert f"<code>{keyword}</code>" in page
