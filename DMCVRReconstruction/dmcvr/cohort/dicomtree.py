"""A tree of DICOM files sorted into examinations; which of its images are the stack is ``dicom``'s to say.

Names come from neither the files nor their folders, which may be patients': an examination is named by a
hash of its study's UID together with the subject. Who does not have the images cannot work it out, as could
be done from a bare patient number.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.errors import InputError
from ..io.dicom.headers import Header, read_headers
from ..io.dicom.reading import is_dicom
from ..system.walk import walk
from .cases import Case


def dicom_cases(folder: Path) -> Iterator[Case]:
    """One case an examination in ``folder`` and below; none where there is no DICOM file.

    Subfolders are read one after the other, so that only one's headers are held at a time; an examination
    must lie within one of them. One that holds a damaged file is left to be refused as a case, so that the
    others go on.
    """
    if any(map(is_dicom, _files(folder))):
        yield from _examinations(folder, read_headers(folder).headers)
        return
    seen: set[Path] = set()
    for part in _subfolders(folder):
        if part.resolve() not in seen:  # a link beside the folder that it leads to
            seen.add(part.resolve())
            yield from _part(part, folder)


def _part(part: Path, root: Path) -> Iterator[Case]:
    """The cases of one subfolder of ``root``."""
    if not any(is_dicom(path) for _, files in walk(part) for path in files):
        return
    try:
        headers = read_headers(part).headers
    except InputError:
        below = _subfolders(part)
        if below and not any(map(is_dicom, _files(part))):
            for deeper in below:
                yield from _part(deeper, root)
            return
        name = "exam-" + _short_hash(os.fsencode(part.relative_to(root)))
        yield Case(name, name, part)
        return
    yield from _examinations(part, headers)


def _files(folder: Path) -> list[Path]:
    return next((files for _, files in walk(folder)), [])


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:  # which the search for files has told
        return []


def _examinations(folder: Path, headers: Sequence[Header]) -> Iterator[Case]:
    groups: dict[tuple, list[Header]] = {}
    for header in headers:
        groups.setdefault((header.study, header.subject), []).append(header)
    for group in groups.values():
        # A study without a UID is told by its series, whose UIDs cannot be guessed either.
        study = group[0].study or min(header.series for header in group)
        name = "exam-" + _short_hash(
            "\n".join([study, *group[0].subject]).encode("utf-8", "backslashreplace")
        )
        files = sorted({header.path for header in group})
        yield Case(name, name, folder, files=() if len(groups) == 1 else tuple(files))


def _short_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
