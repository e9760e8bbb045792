import errno
from dataclasses import replace
from pathlib import Path

import pytest
from dmcvr.cohort.failures import explain, without_paths
from dmcvr.core.errors import InputError, StorageError
from dmcvr.reconstruction.options import ModelChoice


def raised(error, cause=None):
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "cause", "kind", "transient"),
    [
        (InputError("Give another file."), None, "input", False),
        (InputError("The file is damaged."), OSError(errno.EIO, "I/O error"), "input", True),
        (InputError("The file is damaged."), OSError("not a gzip file"), "input", False),
        (InputError("It does not exist."), FileNotFoundError(errno.ENOENT, "No such file"), "input", False),
        (OSError(errno.ESTALE, "Stale file handle"), None, "fault", True),
        (PermissionError(errno.EACCES, "Permission denied"), None, "fault", False),
        (OSError(errno.ENOSPC, "No space left on device"), None, "disk", True),
        (StorageError("The folder went away."), None, "disk", True),
        (MemoryError(), None, "memory", True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), None, "memory", True),
        (ZeroDivisionError("division by zero"), None, "fault", False),
    ],
)
def test_what_errors_mean(case, settings, error, cause, kind, transient):
    failure = explain(raised(error, cause), case, settings)
    assert (failure.kind, failure.transient) == (kind, transient)
    assert failure.type == type(error).__name__
    assert bool(failure.where) == (kind != "input")


def test_a_fault_says_where_without_folders(case, settings):
    failure = explain(raised(ZeroDivisionError("division by zero")), case, settings)
    assert failure.message == "ZeroDivisionError: division by zero"
    assert failure.where[-1].startswith("test_failures.py:")
    assert failure.where[-1].endswith(" raised")


def test_no_path_is_told(case, settings):
    """Not even those that hold blanks, or that only begin as the case's do."""
    case = replace(case, files=(Path("/mnt/Roe Richard/1.dcm"),))
    settings = replace(settings, model=ModelChoice("/mnt/Roe Mary/model"))
    for path in (
        "/mnt/Roe Mary/model/model.json",
        str(case.path),
        str(case.path.parent / "other.nrrd"),
        str(settings.output / "cases" / "x"),
        "/mnt/Roe Richard/2.dcm",
        "/etc/passwd",
        r"C:\Users\Doe\x.nrrd",
    ):
        text = without_paths(f"Could not open '{path}', or read it.", case, settings)
        assert text == "Could not open '(path)', or read it."


def test_ordinary_words_stay(case, settings):
    text = "Slices are 0.5/1 mm apart and/or damaged; use --frame ed."
    assert without_paths(text, case, settings) == text


def test_an_errors_file_name_is_not_told(case, settings):
    failure = explain(raised(PermissionError(errno.EACCES, "Permission denied", "Doe.nrrd")), case, settings)
    assert failure.message == "PermissionError: Permission denied"
