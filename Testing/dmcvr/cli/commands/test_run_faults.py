"""``dmcvr reconstruct`` in processes that meet a fault: earlier results stay, nothing else does."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from dmcvr.output.files import FILES
from dmcvr.system.ownership import LISTED
from dmcvr.system.privatefolder import living
from dmcvr.system.staging import HIDDEN
from sabotage import sabotaged

SHAPE = ("--method", "shape", "--spacing", 5)


@pytest.fixture(scope="module")
def finished(files, tmp_path_factory):
    """A result of the shipped model, made by a process that nothing happens to."""
    output = tmp_path_factory.mktemp("finished") / "out"
    process = start(files["sax"], "--output", output, "--spacing", 5, "--steps", 1)
    assert ended(process) == (0, "")
    return output


@pytest.fixture
def earlier(finished, tmp_path):
    """A folder with an earlier result, and its contents by name."""
    shutil.copytree(finished, tmp_path / "out")
    return tmp_path / "out", contents(tmp_path / "out")


def start(*arguments, environment=None, prefix=()) -> subprocess.Popen:
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "dmcvr", "reconstruct", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment or sabotaged(),
    )


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """Exit code and standard error."""
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        ("open", "sax.nrrd"),  # read, and hashed
        ("open", "segmenter.safetensors"),  # the model is loaded
        ("open", f"{HIDDEN}*report.html"),  # half of the files are written
    ],
    ids=["reading", "loading", "writing"],
)
def test_a_killed_run_leaves_the_earlier_result_and_the_next_run_tidies_up(call, files, earlier, moment):
    output, before = earlier
    drawn = () if moment[1].startswith("segmenter") else ("--labels", files["labels"])
    process = start(files["sax"], "--output", output, *SHAPE, *drawn, environment=sabotaged(kill=moment))
    assert ended(process) == (-signal.SIGKILL, "")
    assert contents(output) == before
    (left,) = output.glob(f"{HIDDEN}*")
    assert left.stat().st_mode & 0o777 == 0o700
    assert (
        call("reconstruct", files["sax"], "--output", output, "--labels", files["labels"], *SHAPE).code == 0
    )
    assert {path.name for path in output.iterdir()} == before.keys()


@pytest.mark.slow
def test_killed_between_two_renames_it_leaves_no_record_that_lies(call, files, earlier):
    output, before = earlier
    arguments = (files["sax"], "--output", output, "--labels", files["labels"], *SHAPE)
    process = start(*arguments, environment=sabotaged(kill=("os.rename", "result.json")))
    assert ended(process) == (-signal.SIGKILL, "")
    assert contents(output).keys() == before.keys() - {"result.json"}
    assert call("reconstruct", *arguments).code == 0
    assert {path.name for path in output.iterdir()} == before.keys()


@pytest.mark.slow
def test_files_that_cannot_grow_end_the_run_in_a_sentence(files, earlier):
    """By the system's limit on a file's size; the error is that of a write, as on a full disk."""
    output, before = earlier
    arguments = (files["sax"], "--output", output, "--labels", files["labels"], *SHAPE)
    code, errors = ended(start(*arguments, environment=sabotaged(grow=4096)))
    assert code == 1
    assert errors.startswith("dmcvr: The disk is full")
    assert errors.count("\n") == 1
    assert contents(output) == before
    assert len(list(output.iterdir())) == len(before)


def may_mount() -> bool:
    """Whether a small disk can be mounted that only the test's own processes see."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="no disk may be mounted here")
def test_a_full_disk_ends_the_run_in_a_sentence(files, tmp_path):
    """A disk of 64 kB that already holds a file."""
    (tmp_path / "disk").mkdir()
    script = (
        'mount -t tmpfs -o size=64k none "$0"; echo old > "$0/notes.txt"; "$@"; code=$?; '
        'cat "$0/notes.txt"; ls -A "$0"; exit $code'
    )
    process = start(
        files["sax"], "--output", tmp_path / "disk", "--labels", files["labels"], *SHAPE,
        prefix=("unshare", "--map-root-user", "--mount", "sh", "-c", script, tmp_path / "disk"),
    )  # fmt: skip
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert errors.startswith("dmcvr: The disk is full")
    assert errors.count("\n") == 1
    assert out == "old\nnotes.txt\n"


@pytest.mark.slow
def test_an_output_that_vanishes_ends_the_run_in_a_sentence(files, earlier, tmp_path):
    output, _ = earlier
    arguments = (files["sax"], "--output", output, "--labels", files["labels"], *SHAPE)
    plan = sabotaged(remove=("open", f"{HIDDEN}*labels.nrrd", str(output)))
    code, errors = ended(start(*arguments, environment=plan))
    assert code == 1
    assert errors.startswith("dmcvr: The output folder was removed")
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_second_run_into_one_folder_is_refused_and_the_first_finishes(call, files, tmp_path):
    output = tmp_path / "out"
    arguments = (files["sax"], "--output", output, *SHAPE)
    first = start(*arguments, "--json")
    assert json.loads(first.stdout.readline())["stage"] == "segment"
    second = call("reconstruct", *arguments, "--labels", files["labels"])
    assert second.code == 2
    assert "Another run is writing to the output folder" in second.err
    assert len(living(tmp_path, HIDDEN)) == 1
    assert ended(first) == (0, "")
    assert json.loads((output / "result.json").read_text())["model"] is not None
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_clock_and_network_change_nothing_bit_for_bit(files, finished, tmp_path):
    """The same seed gives the same result, in a process whose clock jumps by years, and that may neither look
    up a name, nor connect, nor start a program, nor unpickle; it writes where it should and nowhere else.
    """
    log = tmp_path / "noted"
    output = tmp_path / "out"
    arguments = (files["sax"], "--output", output, "--spacing", 5, "--steps", 1)
    assert ended(start(*arguments, environment=sabotaged(shut=str(log), jump=True))) == (0, "")
    assert {path.name for path in output.iterdir()} <= {*FILES, LISTED}
    for path in output.glob("*.nrrd"):
        assert path.read_bytes() == (finished / path.name).read_bytes()
    records = [json.loads((folder / "result.json").read_text()) for folder in (output, finished)]
    seconds = [record.pop("seconds") for record in records]
    assert records[0] == records[1]
    assert all(0 <= value < 600 for value in seconds[0].values())
    check_notes(log, tmp_path)


@pytest.mark.slow
def test_the_demo_needs_no_network(tmp_path):
    log = tmp_path / "noted"
    arguments = ["demo", "--output", str(tmp_path / "out"), "--steps", "1", "--spacing", "10"]
    environment = sabotaged(shut=str(log))
    subprocess.run([sys.executable, "-m", "dmcvr", *arguments], env=environment, check=True, timeout=300)
    check_notes(log, tmp_path)


def check_notes(log, folder) -> None:
    """Only files below ``folder`` were opened for writing, and nothing else that is noted was tried."""
    lines = log.read_text().splitlines()
    written = [line.removeprefix("write ") for line in lines if line != f"write {os.devnull}"]
    assert any(line.endswith("volume.nrrd") for line in written)
    assert [line for line in written if not line.startswith(f"{folder}{os.sep}")] == []


@pytest.mark.parametrize("event", ["socket", "pickle", "program"])
def test_what_is_not_allowed_would_be_noted(tmp_path, event):
    """That the tests above can fail."""
    code = {
        "socket": "import socket; socket.create_connection(('localhost', 9))",
        "pickle": "import pickle; pickle.loads(pickle.dumps(print))",
        "program": "import subprocess; subprocess.run(['true'])",
    }[event]
    log = tmp_path / "noted"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env=sabotaged(shut=str(log)),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 1
    assert b"is not allowed" in answer.stderr
    assert log.read_text()
