"""Files that this tool did not write are not replaced."""

import json
import re
from pathlib import Path

import pytest
from dmcvr.core.errors import InputError
from dmcvr.system.ownership import LISTED, check_replaceable, claim, listed
from dmcvr.system.staging import staged_file, staged_folder


def write(target, *names, text="ours", **more):
    with staged_folder(target, **more) as folder:
        for name in names:
            (folder / name).write_text(text)


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != LISTED}


@pytest.mark.parametrize("known", [(), ("*.txt",)])
def test_what_was_written_is_replaced_and_what_was_not_is_not(tmp_path, known):
    target = tmp_path / "out"
    write(target, "a.txt", "b.txt", names=known)
    write(target, "a.txt", text="newer", names=known)
    assert contents(target) == {"a.txt": "newer", "b.txt": "ours"}
    for name, text in (("a.txt", "corrected by hand"), ("c.txt", "theirs")):
        (target / name).write_text(text)
        before = contents(target)
        with pytest.raises(InputError, match=re.escape(f"holds {name}, which dmcvr did not write")):
            write(target, name, names=known)
        assert contents(target) == before
        (target / name).unlink()
    write(target, "a.txt", "c.txt", names=known)
    assert sorted(contents(target)) == ["a.txt", "b.txt", "c.txt"]


def test_it_is_known_before_anything_is_computed(tmp_path):
    (tmp_path / "result.json").write_text("theirs")
    for more in ({"seal": "result.json"}, {"names": ("result.*",)}, {"stale": ("res*",)}):
        with pytest.raises(InputError, match=r"result\.json"), staged_folder(tmp_path, **more):
            pytest.fail("the block ran")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_numbered_files_of_others_are_not_removed(tmp_path):
    target = tmp_path / "out"
    write(target, "s_1", "s_2", stale=("s_*",))
    write(target, "s_1", stale=("s_*",))
    assert sorted(contents(target)) == ["s_1"]
    (target / "s_mine").write_text("theirs")
    with pytest.raises(InputError, match="s_mine"):
        write(target, "s_1", stale=("s_*",))


def test_a_copied_folder_is_known_and_a_link_is_not(tmp_path):
    write(tmp_path / "out", "a")
    (tmp_path / "copy").mkdir()
    for path in (tmp_path / "out").iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    write(tmp_path / "copy", "a", text="newer")
    (tmp_path / "out" / "a").rename(tmp_path / "elsewhere")
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="holds a,"):
        write(tmp_path / "out", "a")


def test_a_run_that_was_killed_while_it_replaced_files_can_be_repeated(tmp_path, monkeypatch):
    target = tmp_path / "out"
    write(target, "a", "b", text="first")
    replace = Path.replace

    def once(path, to):
        if path.name == "b":
            raise KeyboardInterrupt
        return replace(path, to)

    monkeypatch.setattr(Path, "replace", once)
    with pytest.raises(KeyboardInterrupt):
        write(target, "a", "b", text="second")
    monkeypatch.undo()
    assert contents(target) == {"a": "second", "b": "first"}
    write(target, "a", "b", text="third")
    assert contents(target) == {"a": "third", "b": "third"}


@pytest.mark.parametrize("text", ["", "[]", '{"a": 3}', "{" * 50000, '{"a": [3, "x"]}'])
def test_a_list_without_sense_lists_nothing(tmp_path, text):
    (tmp_path / "a").write_text("theirs")
    (tmp_path / LISTED).write_text(text)
    assert not listed(tmp_path / "a")
    with pytest.raises(InputError):
        write(tmp_path, "a")


def test_a_claimed_name_stays_ours_while_it_is_written_to(tmp_path):
    claim(tmp_path, ["log", "pictures"])
    (tmp_path / "log").write_text("a line")
    (tmp_path / "pictures").mkdir()
    check_replaceable(tmp_path, ["log", "pictures"])
    (tmp_path / "other").write_text("theirs")
    with pytest.raises(InputError):
        check_replaceable(tmp_path, ["*"], listed)
    assert json.loads((tmp_path / LISTED).read_text()) == {"log": ["*"], "pictures": ["*"]}


def test_single_files(tmp_path):
    path = tmp_path / "x.nrrd"
    for text in ("first", "second"):
        with staged_file(path) as hidden:
            hidden.write_text(text)
    path.write_text("theirs")
    with pytest.raises(InputError, match="did not write"), staged_file(path):
        pytest.fail("the block ran")
    with staged_file(path, is_own=lambda path: path.read_text() == "theirs") as hidden:
        hidden.write_text("third")
    assert path.read_text() == "third"
