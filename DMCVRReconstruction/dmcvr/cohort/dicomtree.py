"""A tree of DICOM files sorted into examinations; which of its images are the stack is ``dicom``'s to say.

Names come from neither the files nor their folders, which may be patients': an examination is named by a
hash of its study's UID together with the subject. Who does not have the images cannot work it out, as could
be done from a bare patient number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import InputError
from ..io.dicom.files import Header, read_headers
from .cases import Case


def dicom_cases(folder: Path) -> Iterator[Case]:
    """One case an examination in ``folder`` and below. Raises InputError where there is no DICOM image.

    Subfolders are read one after the other, so that only one's headers are held at a time; an examination
    must lie within one of them. One that holds a damaged file is left to be refused as a case, so that the
    others go on.
    """
    loose = any(path.is_file() for path in folder.iterdir())
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not loose and below:
        found = False
        for part in below:
            for case in _part(part, folder):
                found = True
                yield case
        if not found:
            raise InputError("The folder holds neither image files nor DICOM images.")
        return
    yield from _examinations(folder, read_headers(folder))


def _part(part: Path, root: Path) -> Iterator[Case]:
    """The cases of one subfolder of ``root``."""
    if not any(path.is_file() for path in part.rglob("*")):
        return
    try:
        headers = read_headers(part)
    except InputError:
        below = sorted(path for path in part.iterdir() if path.is_dir())
        if below and not any(path.is_file() for path in part.iterdir()):
            for deeper in below:
                yield from _part(deeper, root)
            return
        name = "exam-" + _short_hash(str(part.relative_to(root)))
        yield Case(name, name, part)
        return
    yield from _examinations(part, headers)


def _examinations(folder: Path, headers: list[Header]) -> Iterator[Case]:
    groups: dict[tuple, list[Header]] = {}
    for header in headers:
        groups.setdefault((header.study, header.subject), []).append(header)
    for group in groups.values():
        # A study without a UID is told by its series, whose UIDs cannot be guessed either.
        study = group[0].study or min(header.series for header in group)
        name = "exam-" + _short_hash("\n".join([study, *group[0].subject]))
        files = sorted({header.path for header in group})
        yield Case(name, name, folder, files=() if len(groups) == 1 else tuple(files))


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
