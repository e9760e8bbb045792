"""A study whose DICOM tags hold words that must never be seen again, and the search for them."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from pathlib import Path

from dicomfiles import write_dicom
from dmcvr.core.stack import Stack
from pydicom.datadict import DicomDictionary

WORD, DATE, TIME, UID = "Zzqxcanary", "19470813", "131417.246813", "1.2.826.0.9.8675309"
CANARIES = (WORD, DATE, TIME.split(".")[1], UID)
BY_KIND = {
    **dict.fromkeys(["PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE"], WORD),
    "DA": DATE, "TM": TIME, "DT": DATE + TIME, "UI": f"{UID}.7",
}  # fmt: skip


def tags() -> dict[str, str]:
    """A canary for every attribute of the DICOM dictionary that can hold a name, a text, a date or an ID."""
    found = {
        keyword: BY_KIND[kind]
        for tag, (kind, count, _, _, keyword) in DicomDictionary.items()
        if kind in BY_KIND and keyword and tag >> 16 >= 0x0008 and count.startswith("1")
    }
    for keyword in ("SOPClassUID", "SOPInstanceUID"):  # what the object is, and which of them
        del found[keyword]
    return found


def write_canary_study(folder: Path, stack: Stack, lax: Stack | None = None, **changes) -> Path:
    """The study in a folder of the same name, which is returned."""
    study = folder / WORD / DATE
    identity = tags() | changes
    write_dicom(study / "sax", stack, **identity | {"SeriesDescription": f"cine sax {WORD}"})
    if lax is not None:
        series = {"SeriesDescription": f"4CH {WORD}", "SeriesInstanceUID": f"{UID}.8", "SeriesNumber": 2}
        write_dicom(study / "lax", lax, **identity | series)
    return study


def spilled(contents: bytes | str) -> set[str]:
    """The canaries in ``contents``: plain, in other encodings, in pictures of a page, or compressed."""
    contents = contents.encode() if isinstance(contents, str) else contents
    layers = [contents, contents.replace(b"\0", b""), *_unpacked(contents)]
    for picture in re.findall(rb"base64,([A-Za-z0-9+/=]+)", contents):
        try:
            layers.append(base64.b64decode(picture))
        except binascii.Error:
            continue
        layers += _unpacked(layers[-1])
    return {word for word in CANARIES for layer in layers if word.lower().encode() in layer.lower()}


def spilled_in(folder: Path) -> dict[str, set[str]]:
    """The canaries in the names and contents of all files below ``folder``, by file."""
    found = {
        str(path.relative_to(folder)): spilled(str(path.relative_to(folder)))
        | (spilled(path.read_bytes()) if path.is_file() else set())
        for path in folder.rglob("*")
    }
    return {name: words for name, words in found.items() if words}


def _unpacked(contents: bytes) -> list[bytes]:
    """What gzip or zlib, wherever in ``contents`` such a stream may begin, makes of it."""
    found = []
    for start in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", contents):
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            found.append(unpacking.decompress(contents[start.start() :], 1 << 24))
        except zlib.error:
            continue
    return found
