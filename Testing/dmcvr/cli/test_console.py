"""A terminal that is not UTF-8, streams that are closed, and names that are no text."""

import json
import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "dmcvr"]
SHAPE = ("--method", "shape", "--spacing", "5", "--frame", "0", "--labels")
ODD = os.fsdecode(b"caf\xe9 \xff")
"""A name that is not UTF-8."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has names and streams"),
]


def run(*arguments, prefix="", **environment):
    """A command in a process of its own; prefix: shell redirections and pipes, with ``"$@"`` for it."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    shell = ["bash", "-c", prefix or '"$@"', "bash"]
    return subprocess.run([*shell, *COMMAND, *map(str, arguments)], capture_output=True, env=env, timeout=300)


@pytest.fixture
def odd(files, tmp_path):
    """The stack and its labels in a folder of a name that is not UTF-8."""
    folder = tmp_path / ODD
    folder.mkdir()
    for name in ("sax", "labels"):
        (folder / f"{name}{ODD}.nrrd").write_bytes(files[name].read_bytes())
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("as_json", [False, True])
def test_names_that_are_no_text_on_any_terminal(odd, encoding, as_json):
    arguments = [
        "reconstruct",
        odd / f"sax{ODD}.nrrd",
        *SHAPE,
        odd / f"labels{ODD}.nrrd",
        "--output",
        odd / ODD,
    ]
    end = run(*arguments, *(["--json"] if as_json else []), PYTHONIOENCODING=encoding)
    assert (end.returncode, end.stderr) == (0, b"")
    assert (odd / ODD / "result.json").is_file()
    if as_json:
        assert json.loads(end.stdout.splitlines()[-1])["output"] == str(odd / ODD)
    else:
        assert b"report.html" in end.stdout


def test_a_mistake_about_such_a_name_is_said(odd):
    end = run("reconstruct", odd / "none.nrrd", "--output", odd / "out", PYTHONIOENCODING="ascii")
    assert end.returncode == 2
    assert end.stderr.count(b"\n") == 1
    end = run("reconstruct", odd, f"--{ODD}", "--output", odd / "out", PYTHONIOENCODING="ascii")
    assert end.returncode == 2
    assert b"Traceback" not in end.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(files, tmp_path, closed):
    arguments = ("reconstruct", files["sax"], *SHAPE, files["labels"], "--output", tmp_path / "out")
    end = run(*arguments, prefix=f'"$@" {closed}')
    assert end.returncode == 0
    assert b"Error" not in end.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["method"] == "shape"
    assert (tmp_path / "out" / "volume.nrrd").read_bytes().startswith(b"NRRD0005\n")
    assert (
        run("reconstruct", tmp_path / "none.nii", "--output", tmp_path, prefix=f'"$@" {closed}').returncode
        == 2
    )


@pytest.mark.parametrize("arguments", [("--help",), ("info",)])
def test_a_pipe_that_nobody_reads(arguments):
    end = run(*arguments, prefix='"$@" | true; exit ${PIPESTATUS[0]}')
    assert (end.returncode, end.stderr) == (0, b"")


def test_what_is_printed_at_the_end_need_not_be_read(files, tmp_path):
    arguments = ("reconstruct", files["sax"], *SHAPE, files["labels"], "--output", tmp_path / "out")
    end = run(*arguments, prefix='"$@" | true; exit ${PIPESTATUS[0]}')
    assert (end.returncode, end.stderr) == (0, b"")
    assert (tmp_path / "out" / "result.json").is_file()
    end = run(*arguments, "--json", prefix='"$@" | true; exit ${PIPESTATUS[0]}')
    assert end.returncode in (0, 130)  # whether anything was printed before nobody read it
    assert end.stderr == b""
