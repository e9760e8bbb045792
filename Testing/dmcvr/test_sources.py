"""What the program's own sources must not do, read from the sources themselves.

That runs keep to it is tested in commands/test_run_faults.py.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "DMCVRReconstruction"
# What reads pickles or other code, or unpacks archives, or speaks to other machines.
MODULES = {
    "pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml", "tarfile",
    "socket", "ssl", "http", "urllib3", "requests", "ftplib", "smtplib", "aiohttp", "httpx", "xmlrpc",
}  # fmt: skip
CALLS = {"eval", "exec", "compile", "torch.load", "torch.hub", "np.loads", "pd.read_pickle", "os.system"}
QUOTING_ONLY = "urllib.parse"


def sources():
    return sorted(PACKAGES.rglob("*.py"))


def misdeeds(text: str) -> list[str]:
    """Imports of ``MODULES``, ``CALLS`` and arguments that allow as much, in the Python ``text``."""
    found = []
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call):
            if (called := ast.unparse(node.func)) in CALLS:
                found.append(called)
            for word in node.keywords:
                if word.arg in ("allow_pickle", "shell") and ast.unparse(word.value) != "False":
                    found.append(word.arg)
        found += [name for name in names if name.split(".")[0] in MODULES]
        found += [name for name in names if name.startswith("urllib") and name != QUOTING_ONLY]
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGES)))
def test_no_pickle_no_archive_no_code_and_no_network(path):
    assert misdeeds(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from pickle import load", "import socket", "import urllib.request",
        "from urllib.request import urlopen", "torch.load('x')", "eval('1')",
        "np.load('x', allow_pickle=True)",
        "subprocess.run('ls', shell=True)", "def f():\n    import requests",
    ],
)  # fmt: skip
def test_each_of_these_would_be_found(text):
    assert misdeeds(text)
