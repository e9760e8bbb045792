"""DICOM images whose pixels hold the tone of their place and frame, which tells where each belongs."""

from itertools import count

import numpy as np
from dmcvr.core.geometry import Plane, unit
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

SAX_NORMAL = unit([0.5, -0.6, -0.62])
AXIAL = np.array([0.0, 0.0, 1.0])
SHAPE, SPACING, FRAMES = (12, 16), (1.4, 1.6), 6  # (H, W); (x, y)
STUDY = generate_uid()
_number = count(1)


def axes(normal):
    """In-plane unit vectors of an image with this normal."""
    x = unit(np.cross([0.1, 1.0, 0.2], normal))
    return x, np.cross(normal, x)


def tone(points, frame):
    return np.round(1500 + points @ np.array([7.0, -5.0, 3.0]) + 11 * frame).astype(np.uint16)


def dataset(origin, normal=SAX_NORMAL, frame=0, series="1", **changes):
    """One MR image whose pixels hold the tone of their place and frame; None removes an attribute."""
    x, y = axes(normal)
    plane = Plane(np.asarray(origin, float), x * SPACING[0], y * SPACING[1], SHAPE)
    return dataset_on(plane, frame, series, **changes)


def dataset_on(plane, frame=0, series="1", paint=tone, **changes):
    """The same on any plane; ``paint`` gives the pixels of (H, W, 3) points in a frame."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.Modality, ds.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
    ds.PatientID, ds.PatientName, ds.StudyInstanceUID = "17", "Secret^Name", STUDY
    ds.SeriesInstanceUID, ds.SeriesNumber = f"1.2.3.{series}", series.split(".")[0]
    ds.InstanceNumber, ds.TriggerTime = next(_number), 20.0 + 40.0 * frame
    ds.Rows, ds.Columns = plane.shape
    ds.PixelSpacing = [f"{v:.9g}" for v in plane.spacing[::-1]]
    ds.ImagePositionPatient = [f"{v:.9g}" for v in plane.origin]
    ds.ImageOrientationPatient = [f"{v:.9f}" for v in (*unit(plane.step_x), *unit(plane.step_y))]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = paint(plane.points(), frame).tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def write(ds, folder, name=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"{next(_number)}.dcm")
    ds.save_as(path, enforce_file_format=True)
    return path


def write_cine(folder, origin, frames=FRAMES, **keywords):
    for frame in range(frames):
        write(dataset(origin, frame=frame, **keywords), folder)


def write_stack(folder, origins, one_series=True, **keywords):
    for number, origin in enumerate(origins):
        write_cine(folder, origin, **({"series": "1" if one_series else str(number + 1)} | keywords))


def places(n=5, gap=9.0, normal=SAX_NORMAL):
    return [np.array([-40.0, 10.0, 25.0]) + i * gap * normal for i in range(n)]


def assert_true_places(stack):
    """Every pixel holds the tone of the place where the stack says it lies."""
    for frame in range(len(stack.frames)):
        for s in range(len(stack.origins)):
            wanted = tone(stack.plane(s).points(), frame).astype(float)
            np.testing.assert_allclose(stack.frames[frame, s], wanted, atol=1.01)
