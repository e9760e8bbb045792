"""``dmcvr export-dicom``."""

from __future__ import annotations

import argparse

from ...io.dicom.label_objects import check_highdicom
from ...output.dicom_export import EXPORTED, export_dicom, read_result
from ...system.staging import check_apart, check_folder_name, staged_folder


def run(arguments: argparse.Namespace) -> None:
    """Read a result, and write it as DICOM of the study it came from."""
    check_highdicom()
    check_folder_name(arguments.output)
    check_apart(arguments.output, [arguments.result, arguments.like], EXPORTED)
    with staged_folder(arguments.output, EXPORTED, names=EXPORTED) as folder:
        count = export_dicom(read_result(arguments.result), arguments.like, folder)
    if not arguments.quiet:
        print("Note: These files carry the identity of the patient and study in the DICOM folder.")
        print(f"{count} DICOM files, for research use only: {arguments.output}")
