"""Temporary folders whose processes are really killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dmcvr.system.privatefolder import HELD, held, living, private_folder

CODE = {
    "make": "hold, arguments = folders.private_folder, (sys.argv[1], 'dmcvr-')",
    "join": "hold, arguments = folders.held, [sys.argv[1]]",
}


@pytest.fixture
def start():
    """Starts a process that holds a folder until it is killed; kills what still lives."""
    started = []

    def run(what: str, folder: Path) -> subprocess.Popen:
        code = (
            "import sys, time\n"
            "import dmcvr.system.privatefolder as folders\n"
            f"{CODE[what]}\n"
            "with hold(*arguments): print(flush=True); time.sleep(600)"
        )
        process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
        started.append(process)
        process.stdout.readline()
        return process

    yield run
    for process in started:
        kill(process)
        process.stdout.close()


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_it_is_private_and_goes_at_the_end(tmp_path):
    with private_folder(tmp_path, "dmcvr-") as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "a").mkdir()
        (folder / "a" / "image").write_text("private")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path, start):
    dead, alive = start("make", tmp_path), start("make", tmp_path)
    assert len(living(tmp_path, "dmcvr-")) == 2
    kill(dead)
    with private_folder(tmp_path, "dmcvr-") as folder:
        (kept,) = set(tmp_path.iterdir()) - {folder}
        assert set(living(tmp_path, "dmcvr-")) == {kept, folder}
    kill(alive)
    assert living(tmp_path, "dmcvr-") == []
    assert not list(tmp_path.iterdir())


def test_it_is_held_as_long_as_one_of_two_processes_lives(tmp_path, start):
    maker = start("make", tmp_path)
    (folder,) = tmp_path.iterdir()
    helper = start("join", folder)
    kill(maker)
    assert living(tmp_path, "dmcvr-") == [folder]
    kill(helper)
    assert living(tmp_path, "dmcvr-") == []
    assert not folder.exists()


def test_what_is_no_private_folder_stays(tmp_path):
    """Also a link to a folder that nobody holds, which others may have put there."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "mine").mkdir(parents=True)
    (elsewhere / HELD).write_text("")
    (tmp_path / "dmcvr-link").symlink_to(elsewhere)
    (tmp_path / "dmcvr-file").write_text("")
    (tmp_path / "dmcvr-empty").mkdir()
    (tmp_path / "dmcvr-other").mkdir()
    (tmp_path / "dmcvr-other" / "notes").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert living(tmp_path, "dmcvr-") == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("")
    (tmp_path / "dmcvr-trap").mkdir()
    (tmp_path / "dmcvr-trap" / HELD).symlink_to(tmp_path / "precious")
    assert living(tmp_path, "dmcvr-") == []
    assert (tmp_path / "dmcvr-trap").exists()


def test_a_folder_that_is_not_private_is_left_as_it_is(tmp_path):
    with held(tmp_path):
        assert not list(tmp_path.iterdir())


def test_no_place_for_it_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), private_folder(tmp_path / "nowhere", "dmcvr-"):
        pytest.fail("the block must not run")


def test_its_lock_is_not_handed_on_to_programs_that_are_started(tmp_path):
    """They may outlive the process that made the folder."""
    with private_folder(tmp_path, "dmcvr-") as folder:
        child = subprocess.Popen(["sleep", "600"], close_fds=False)
        lock = os.stat(folder / HELD)
    try:
        open_files = [os.stat(path) for path in Path(f"/proc/{child.pid}/fd").iterdir()]
        assert not any(os.path.samestat(lock, other) for other in open_files)
    finally:
        child.kill()
        child.wait()
