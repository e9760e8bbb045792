import os
import shutil
import sys
from pathlib import Path

import pytest
from dmcvr.core.errors import InputError, StorageError
from dmcvr.system.ownership import LISTED
from dmcvr.system.staging import check_apart, made_folder, staged_file, staged_folder


def tree(folder):
    """What lies in a folder, but for the list of what was written."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != LISTED)


def write_old(folder, *names):
    """Files of an earlier run."""
    with staged_folder(folder) as staged:
        for name in names:
            (staged / name).write_text("old")


def test_a_new_folder_appears_at_the_end_with_its_parents(tmp_path):
    target = tmp_path / "a" / "b" / "out"
    with staged_folder(target) as folder:
        (folder / "x").write_text("1")
        assert not target.exists()
    assert tree(tmp_path) == ["a", "a/b", "a/b/out", "a/b/out/x"]


def test_a_new_folder_can_be_read_like_any_other(tmp_path):
    (tmp_path / "plain").mkdir()
    with staged_folder(tmp_path / "out"):
        pass
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_existing_folder_keeps_what_is_not_written_again(tmp_path):
    write_old(tmp_path, "x", "part_000.nrrd", "part_001.nrrd")
    (tmp_path / "kept").write_text("old")
    with staged_folder(tmp_path, ("part_*.nrrd",)) as folder:
        (folder / "x").write_text("new")
        (folder / "part_000.nrrd").write_text("new")
        assert (tmp_path / "x").read_text() == "old"
    assert {name: (tmp_path / name).read_text() for name in tree(tmp_path)} == {
        "kept": "old",
        "x": "new",
        "part_000.nrrd": "new",
    }


def test_an_existing_folder_is_written_from_within(tmp_path):
    """Its parent may be another disk, from which nothing can be renamed into it."""
    with staged_folder(tmp_path) as folder:
        assert tmp_path in folder.parents


def test_where_the_seal_lies_all_files_are_of_one_run(tmp_path):
    """The old seal goes before any file is replaced, and the new one comes after all."""
    write_old(tmp_path, "a", "seal", "z")
    moves = []

    def watch(event, arguments):
        moved = event in ("os.remove", "os.rename") and str(tmp_path) in str(arguments[0])
        if moved and Path(arguments[0]).name != LISTED:
            moves.append((event, Path(arguments[0]).name))

    sys.addaudithook(watch)
    with staged_folder(tmp_path, seal="seal") as folder:
        for name in ("a", "seal", "z"):
            (folder / name).write_text("new")
    assert moves[:4] == [("os.remove", "seal"), ("os.rename", "a"), ("os.rename", "z"), ("os.rename", "seal")]
    assert {(tmp_path / name).read_text() for name in tree(tmp_path)} == {"new"}


@pytest.mark.parametrize("exists", [True, False])
def test_a_second_run_into_one_folder_is_refused_and_the_first_goes_on(tmp_path, exists):
    target = tmp_path / "out"
    if exists:
        target.mkdir()
    with staged_folder(target) as folder:
        (folder / "x").write_text("first")
        target.mkdir(exist_ok=True)
        with pytest.raises(InputError, match="Another run is writing"), staged_folder(target):
            pytest.fail("the block must not run")
        with staged_folder(tmp_path / "other") as other:
            (other / "x").write_text("second")
    assert (target / "x").read_text() == "first"
    assert tree(tmp_path) == ["other", "other/x", "out", "out/x"]


@pytest.mark.parametrize("gone", ["out", "."])
def test_an_output_that_vanishes_is_told(tmp_path, gone):
    target = tmp_path / "work" / "out"
    target.mkdir(parents=True)

    def run():
        with staged_folder(target) as folder:
            shutil.rmtree(target if gone == "out" else target.parent)
            (folder / "x").write_text("new")

    with pytest.raises(StorageError, match="leave the folder in place"):
        run()
    assert not target.exists()


def fail_in_folder(target, error, note=None):
    with staged_folder(target) as folder:
        (folder / "x").write_text("new")
        if note is not None:
            note.write_text("")
        raise error


def fail_in_file(target, error):
    with staged_file(target) as path:
        path.write_text("new")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, InputError])
@pytest.mark.parametrize("exists", [True, False])
def test_after_a_failure_nothing_is_left(tmp_path, error, exists):
    target = tmp_path / "a" / "out"
    if exists:
        target.mkdir(parents=True)
        (target / "x").write_text("old")
    before = tree(tmp_path)
    with pytest.raises(error):
        fail_in_folder(target, error)
    with pytest.raises(error):
        fail_in_file(target.parent / "y", error)
    assert tree(tmp_path) == before
    assert not exists or (target / "x").read_text() == "old"


def test_parents_that_others_have_filled_meanwhile_stay(tmp_path):
    with pytest.raises(RuntimeError):
        fail_in_folder(tmp_path / "a" / "b" / "out", RuntimeError, note=tmp_path / "a" / "note")
    assert tree(tmp_path) == ["a", "a/note"]


def unwritable(tmp_path):
    """Places no user can write to, not even root: below a file, and a system folder without storage."""
    (tmp_path / "file").write_text("")
    places = [tmp_path / "file" / "out", tmp_path / "file" / "a" / "out"]
    return [*places, Path("/proc/dmcvr/out")] if os.path.isdir("/proc/self") else places


@pytest.mark.parametrize("stage", [staged_folder, staged_file, made_folder])
def test_unwritable_places_are_refused_before_anything_is_done(tmp_path, stage):
    for target in unwritable(tmp_path):
        with pytest.raises(InputError, match=r"output folder"), stage(target):
            pytest.fail("the block must not run")
    assert tree(tmp_path) == ["file"]


def test_a_folder_is_no_file_and_a_file_no_folder(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, match="existing file"), staged_folder(tmp_path / "file"):
        pytest.fail("the block must not run")
    with pytest.raises(InputError, match="file name is needed"), staged_file(tmp_path):
        pytest.fail("the block must not run")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_file_appears_at_the_end_and_replaces_an_older_one(tmp_path):
    target = tmp_path / "a" / "labels.nrrd"
    for text in ("first", "second"):
        with staged_file(target) as path:
            assert path.name == target.name
            path.write_text(text)
            assert not target.exists() or target.read_text() == "first"
    assert (tree(tmp_path), target.read_text()) == (["a", "a/labels.nrrd"], "second")


@pytest.mark.parametrize(
    ("target", "given"),
    [
        ("dicom", "dicom"),
        ("dicom/out", "dicom"),
        ("dicom/a/../out", "dicom"),
        ("out", "out/volume.nrrd"),
        ("out", "out/part_003.nrrd"),
        ("sax.nrrd", "sax.nrrd"),
    ],
)
def test_output_that_would_meet_the_input_is_refused(tmp_path, monkeypatch, target, given):
    (tmp_path / "dicom").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="overwrite the input"):
        check_apart(Path(target), [tmp_path / "other", Path(given)], ["volume.nrrd", "part_*.nrrd"])


def test_output_beside_the_input_is_fine(tmp_path):
    (tmp_path / "case" / "dicom").mkdir(parents=True)
    inputs = [tmp_path / "case" / "dicom", tmp_path / "case" / "sax.nrrd"]
    check_apart(tmp_path / "case", inputs, ["volume.nrrd"])
    check_apart(tmp_path / "case" / "labels.nrrd", inputs)
