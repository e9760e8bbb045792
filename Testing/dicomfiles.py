"""DICOM files for the suites, as a scanner would write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dmcvr.core.stack import Stack
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

NAME = "Doe^Jane"
STUDY, SERIES = generate_uid(), generate_uid()


def write_dicom(folder: Path, stack: Stack, **changes) -> None:
    """One file a slice of the stack's first frame, under a patient's name; ``changes`` by DICOM keyword."""
    folder.mkdir(parents=True, exist_ok=True)
    for s, origin in enumerate(stack.origins):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
        ds.Modality, ds.ImageType, ds.SeriesDescription = "MR", ["ORIGINAL", "PRIMARY", "M"], "cine sax"
        ds.PatientID, ds.PatientName = "4711", NAME
        ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, SERIES
        ds.SeriesNumber, ds.InstanceNumber, ds.TriggerTime = 1, s + 1, 0
        ds.Rows, ds.Columns = stack.frames.shape[2:]
        ds.PixelSpacing = list(stack.spacing[::-1])
        ds.ImagePositionPatient = [f"{value:.9g}" for value in origin]
        directions = np.concatenate([stack.step_x / stack.spacing[0], stack.step_y / stack.spacing[1]])
        ds.ImageOrientationPatient = [f"{value:.9f}" for value in directions]
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = np.round(stack.frames[0, s]).astype("<u2").tobytes()
        for keyword, value in changes.items():
            setattr(ds, keyword, value)
        ds.save_as(folder / f"{generate_uid()}.dcm", enforce_file_format=True)
