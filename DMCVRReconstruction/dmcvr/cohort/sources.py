"""Where stacks are found: in a folder of image files, of DICOM files or of both, or in a CSV index."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import InputError
from ..evaluation.cases import PHASE
from ..io.formats import SUFFIXES
from ..io.labelled import ENDINGS
from ..system.walk import walk
from .cases import Case, safe_name
from .dicomtree import dicom_cases
from .index import cases_of_index

DRAWN = ("_gt", "_labels", "_label", "_seg", "_segmentation", "_mask")
"""What is added to a stack's name for the labels that lie beside it."""
LABELS = {
    *("gt", "groundtruth", "truth", "seg", "segs", "segmentation", "segmentations", "segmented"),
    *(
        "label",
        "labels",
        "labelmap",
        "labelmaps",
        "mask",
        "masks",
        "annotation",
        "annotations",
        "roi",
        "rois",
    ),
    *("contour", "contours", "prediction", "predictions", "pred", "labelstr", "labelsts", "labelstest"),
}
"""Words in the names of files and folders of labels; the last are nnU-Net's."""
VIEWS = {"lax", "la", "ao", "2ch", "3ch", "4ch", "rvot", "lvot", "scout", "localizer", "localiser"}
"""Words in the names of other views."""
SHORT_AXIS = {"sax", "sa", "shortaxis", "ktz"}
"""Words that name a short-axis stack whatever else stands in its name, as in LA_012_sax."""
NO_RAW_DATA = ("derivatives", "sourcedata", "code")  # of a BIDS data set
BIDS_SUBJECT = re.compile(r"sub-[^_]+(_ses-[^_]+)?")
BIDS_PHASE = re.compile(r"[_-](ED|ES)(?=_|$)", re.IGNORECASE)

LeftOut = Counter[str]
"""How many files and folders were not taken for stacks, by reason, in the plural."""


def find_stacks(source: Path, left_out: LeftOut | None = None) -> Iterator[Case]:
    """One case a stack of ``source``, in a fixed order, with the labels beside it.

    source: a folder of image files, DICOM files or both, at any depth, links followed; or a CSV index.
    left_out: counts what is passed over while the cases are taken. Raises InputError.
    """
    source = Path(source).absolute()
    left_out = Counter() if left_out is None else left_out
    if source.is_dir():
        return _in_folder(source, left_out)
    if not source.exists():
        raise InputError("The input does not exist; give a folder or a CSV index.")
    if source.suffix.lower() not in (".csv", ".tsv"):
        raise InputError(
            "The input is neither a folder nor a CSV index; for one stack use dmcvr reconstruct."
        )
    return cases_of_index(source, subject_and_phase, stem)


def subject_and_phase(name: str) -> tuple[str, str | None]:
    """Whose heart a name speaks of, and "ED", "ES" or None.

    NAME_ED and NAME_ES belong to NAME; names as of a BIDS data set, to their subject and session.
    """
    if bids := BIDS_SUBJECT.match(name):
        found = BIDS_PHASE.search(name)
        return bids[0], found and found[1].upper()
    found = PHASE.search(name)
    return PHASE.sub("", name), found and found[1].upper()


def stem(path: Path) -> str:
    """The name of an image file without its ending."""
    ending = max((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), key=len, default="")
    return path.name[: len(path.name) - len(ending)]


def kind_of_name(path: Path, root: Path) -> str | None:
    """What else than a stack the names of an image file and of its folders below ``root`` say it is, in the
    plural; None for a stack.
    """
    words = _words(stem(path))
    folders = path.relative_to(root).parts[:-1]
    if path.name.lower().endswith(".seg.nrrd") or LABELS & set(words):
        return "label files"
    if any(LABELS & set(_words(folder)) for folder in folders):
        return "label files"
    # A view's word that comes first, before a number, names a patient or a study.
    named = [word for index, word in enumerate(words) if index or len(words) == 1 or not words[1].isdecimal()]
    return "other views" if VIEWS & set(named) and not SHORT_AXIS & set(words) else None


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[_\-. ]+", name.lower()) if word]


def _in_folder(folder: Path, left_out: LeftOut) -> Iterator[Case]:
    found = False
    for cases in (_volumes(folder, left_out), dicom_cases(folder)):
        for case in cases:
            found = True
            yield case
    if not found and not left_out:
        raise InputError("The folder holds neither image files nor DICOM images.")


def _volumes(folder: Path, left_out: LeftOut) -> Iterator[Case]:
    """Cases of the image files in ``folder`` and below, folder by folder; hidden ones are passed over."""

    def denied(place: Path) -> None:
        left_out["folders that may not be looked into"] += 1

    def enter(name: str) -> bool:
        return not name.startswith(".") and name not in NO_RAW_DATA

    for _, files in walk(folder, denied, enter):
        for path in files:
            if not path.name.lower().endswith(SUFFIXES) or path.name.startswith("."):
                continue
            if (kind := kind_of_name(path, folder)) is not None:
                left_out[kind] += 1
                continue
            yield _case(path, folder)


def _case(path: Path, folder: Path) -> Case:
    title = stem(path)
    # patient001/patient001_4d and sub-01/anat/sub-01_cine say whose they are; patient001/sax does not.
    parents = path.relative_to(folder).parts[:-1]
    name = safe_name(title if not parents or title.startswith(parents[0]) else "_".join([*parents, title]))
    subject, phase = subject_and_phase(name)
    drawn = (path.with_name(f"{title}{mark}{ending}") for mark in DRAWN for ending in ENDINGS)
    labels = next((item for item in drawn if os.path.exists(item)), None)
    return Case(name, subject, path, phase=phase, labels=labels)
