"""The structures in the terms of SNOMED CT, as DICOM and 3D Slicer name them."""

from __future__ import annotations

from .labels import LVC, LVM, RVC

CATEGORY = ("123037004", "Anatomical Structure")
TERMS = {
    LVC: ("87878005", "Left ventricle"),
    LVM: ("74281007", "Myocardium"),
    RVC: ("53085002", "Right ventricle"),
}
"""SNOMED CT code and meaning of every label, each of the ``CATEGORY``."""


def slicer_entry(label: int) -> str:
    """The terminology entry of a segment in 3D Slicer, in nodes as in .seg.nrrd files."""
    category, term = "^".join(("SCT", *CATEGORY)), "^".join(("SCT", *TERMS[label]))
    return (
        f"Segmentation category and type - DICOM master list~{category}~{term}~^^"
        "~Anatomic codes - DICOM master list~^^~^^"
    )
