"""Small valid files of every format, for the fuzzer to damage."""

from __future__ import annotations

import bz2
import gzip
import io
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from dmcvr.cli.job_file import JOB_FILE, Job, write_job
from dmcvr.core.geometry import Grid
from dmcvr.core.stack import Stack
from dmcvr.io.nrrd import write_segmentation, write_stack, write_volume
from dmcvr.model.bundle import write_bundle
from dmcvr.model.weights import build
from dmcvr.reconstruction.options import ModelChoice, Options
from niftifiles import nifti
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
)
from safetensors.torch import save_file
from tiny import TINY

SHAPE = (3, 12, 16)  # (S, H, W)
FRAMES = 5
GRID = Grid(np.array([-5.0, 7.0, 11.0]), *np.diag([1.5, 1.5, 8.0]), SHAPE)
"""Where the images and labels lie, LPS mm."""


def voxels(frames: int = 1) -> np.ndarray:
    """(frames, *SHAPE) int16."""
    return np.random.default_rng(0).integers(0, 900, (frames, *SHAPE)).astype(np.int16)


def stack(frames: int = 1) -> Stack:
    """The images as a stack of ``frames`` frames."""
    origins = GRID.position(np.arange(SHAPE[0])[:, None] * [1, 0, 0])
    return Stack(voxels(frames).astype(np.float32), origins, GRID.step_x, GRID.step_y)


def labels() -> np.ndarray:
    """SHAPE uint8: LVC in a ring of LVM, RVC beside it."""
    out = np.zeros(SHAPE, np.uint8)
    out[:, 3:9, 5:11], out[:, 5:7, 7:9], out[:, 3:9, 1:5] = 2, 1, 3
    return out


def _itk(array: np.ndarray, frames: bool = False) -> sitk.Image:
    def one(voxels: np.ndarray) -> sitk.Image:
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing(GRID.spacing)
        image.SetOrigin(GRID.origin.tolist())
        return image

    return sitk.JoinSeries([one(item) for item in array], 0.0, 40.0) if frames else one(array)


def _written(image: sitk.Image, folder: Path, name: str, pack: bool = False) -> bytes:
    sitk.WriteImage(image, str(folder / name), useCompression=pack)
    return (folder / name).read_bytes()


def nifti2() -> list[bytes]:
    """NIfTI-2 stills and cines, frames in the fifth dimension, packed and not."""
    made = [
        nifti(voxels()[0], version=2),
        nifti(voxels(3), version=2, order=">", codes=(1, 1)),
        nifti(voxels(3)[:, None], version=2, times=(1.0, 40.0), units=18),
    ]
    return [*made, bz2.compress(made[0]), gzip.compress(made[2])]


def images(folder: Path, suffix: str) -> list[bytes]:
    """Stills and cines with ``suffix``, packed and not."""
    name, still, cine = f"image{suffix}", _itk(voxels()[0]), _itk(voxels(3), frames=True)
    found = [_written(still, folder, name), _written(cine, folder, name), _written(cine, folder, name, True)]
    if suffix == ".nrrd":
        times = np.array([0.0, 30.0, 60.0])
        write_volume(folder / name, voxels(3), GRID, times)
        found.append((folder / name).read_bytes())
        write_stack(folder / name, stack())
        found.append((folder / name).read_bytes())
        found += [nrrd_with_time(encoding) for encoding in ("raw", "bzip2", "ascii", "hex")]
    return found


def nrrd_with_time(encoding: str) -> bytes:
    """A cine whose fastest axis is of kind ``time``, its voxels in one of the rarer encodings."""
    array = np.ascontiguousarray(np.moveaxis(voxels(3), 0, -1))
    size = " ".join(map(str, array.shape[::-1]))
    head = f"""NRRD0005
# a cine
type: short
dimension: 4
space: RAS
sizes: {size}
space directions: none (1.5,0,0) (0,1.5,0) (0,0,8)
kinds: time space space space
spacings: 40 nan nan nan
endian: little
encoding: {encoding}
space origin: (-5,7,11)
note:=none

"""
    pack = {
        "raw": bytes,
        "bzip2": bz2.compress,
        "hex": lambda data: data.hex().encode(),
        "ascii": lambda data: " ".join(map(str, np.frombuffer(data, "<i2"))).encode(),
    }
    return head.encode() + pack[encoding](array.astype("<i2").tobytes())


def layered_segmentation(folder: Path) -> bytes:
    """A segmentation of two layers."""
    drawn = labels()
    layers = np.stack([np.where(drawn == 2, 0, drawn), drawn == 2]).astype(np.uint8)
    write_volume(folder / "layers.nrrd", layers, GRID, labels=True)
    head, data = (folder / "layers.nrrd").read_bytes().split(b"\n\n", 1)
    pairs = [
        f"Segment{number}_{key}:={value}"
        for number, (name, layer, value) in enumerate((("LVC", 0, 1), ("RVC", 0, 3), ("LVM", 1, 1)))
        for key, value in (("ID", f"S{number}"), ("Name", name), ("Layer", layer), ("LabelValue", value))
    ]
    return head + b"\n" + "\n".join(pairs).encode() + b"\n\n" + data


def label_files(folder: Path) -> dict[str, list[bytes]]:
    """Label files by suffix."""
    write_segmentation(folder / "drawn.seg.nrrd", labels(), GRID)
    segmentation = sitk.ReadImage(str(folder / "drawn.seg.nrrd"))
    return {
        ".seg.nrrd": [
            (folder / "drawn.seg.nrrd").read_bytes(),
            _written(segmentation, folder, "raw.seg.nrrd"),
            layered_segmentation(folder),
        ],
        **{
            suffix: [_written(_itk(labels()), folder, f"labels{suffix}")]
            for suffix in (".nii", ".nii.gz", ".nrrd", ".mha")
        },
    }


def dicom_slice(number: int) -> Dataset:
    """Slice ``number`` of the stack as a DICOM object."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = f"1.2.3.{number}"
    ds.Modality, ds.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
    ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "17", "1.2.3", "1.2.3.1"
    ds.SeriesNumber, ds.InstanceNumber, ds.TriggerTime = 1, number, 20
    ds.Rows, ds.Columns = SHAPE[1:]
    ds.PixelSpacing, ds.ImageOrientationPatient = [1.5, 1.5], [1, 0, 0, 0, 1, 0]
    ds.ImagePositionPatient = [f"{v:g}" for v in GRID.plane(number).origin]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.RescaleSlope, ds.RescaleIntercept = 2, -7
    ds.PixelData = voxels()[0, number].tobytes()
    return ds


def dicom_files(folder: Path) -> list[bytes]:
    """One slice as explicit, implicit and deflated tags, without meta information, with pixels packed in two
    ways and inverted, and as an enhanced object.
    """
    explicit, implicit, deflated, runs, waves, inverted = (dicom_slice(1) for _ in range(6))
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    implicit.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    runs.compress(RLELossless)
    jpeg2000(waves, folder)
    inverted.PhotometricInterpretation = "MONOCHROME1"
    jpeg2000(inverted, folder)
    files = [dicom_bytes(ds) for ds in (explicit, implicit, deflated, runs, waves, inverted)]
    meta_length = int.from_bytes(files[0][140:144], "little")
    return [*files, files[0][144 + meta_length :], dicom_bytes(enhanced(dicom_slice(1), [1], 1))]


def dicom_cine(number: int, frames: int = FRAMES) -> Dataset:
    """Slice ``number`` as a cine in one plain object."""
    ds = dicom_slice(number)
    ds.NumberOfFrames, ds.FrameTime, ds.FrameIncrementPointer = frames, 40, 0x00181063
    ds.PixelData = voxels(frames)[:, number].tobytes()
    return ds


def dicom_cines(folder: Path) -> list[bytes]:
    """A slice between two others as a cine: in a plain object, packed, on other pixels, and in an enhanced
    object together with a second acquisition of all slices.
    """
    plain, packed, turned = (dicom_cine(1) for _ in range(3))
    jpeg2000(packed, folder)
    turned.ImageOrientationPatient, turned.PixelSpacing = [0, 1, 0, 1, 0, 0], [1.25, 1.5]
    both = enhanced(dicom_slice(1), [1, 0, 1, 2], FRAMES)
    return [dicom_bytes(ds) for ds in (plain, packed, turned, both)]


def enhanced(ds: Dataset, slices: list[int], frames: int) -> Dataset:
    """``ds`` made an enhanced object of ``slices`` through time."""
    groups = []
    for time in range(frames):
        for number in slices:
            origin = [f"{v:g}" for v in GRID.plane(number).origin]
            groups.append(
                functional_groups(
                    PlanePositionSequence={"ImagePositionPatient": origin},
                    PixelMeasuresSequence={"PixelSpacing": ds.PixelSpacing, "SliceThickness": 6},
                    PlaneOrientationSequence={"ImageOrientationPatient": ds.ImageOrientationPatient},
                    CardiacSynchronizationSequence={"NominalCardiacTriggerDelayTime": 20.0 + 40 * time},
                    PixelValueTransformationSequence={"RescaleSlope": 2, "RescaleIntercept": -7},
                )
            )
    ds.PixelData = voxels(frames)[:, slices].tobytes()
    for keyword in ("ImagePositionPatient", "PixelSpacing", "ImageOrientationPatient", "RescaleSlope"):
        delattr(ds, keyword)
    ds.PerFrameFunctionalGroupsSequence, ds.NumberOfFrames = groups, len(groups)
    return ds


def functional_groups(**macros: dict[str, object]) -> Dataset:
    """The functional groups of a frame: sequences of one item, with the attributes given."""
    group = Dataset()
    for macro, attributes in macros.items():
        item = Dataset()
        item.update(attributes)
        setattr(group, macro, [item])
    return group


def jpeg2000(ds: Dataset, folder: Path) -> None:
    """Compress the pixels of a DICOM object without loss, by way of a file in ``folder``."""
    path = folder / "packed.jp2"
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(path))
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG2000")
    writer.Execute(sitk.GetImageFromArray(ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)))
    coded = pydicom.dcmread(path)
    path.unlink()
    ds.PixelData, ds["PixelData"].is_undefined_length = coded.PixelData, True
    ds.file_meta.TransferSyntaxUID = coded.file_meta.TransferSyntaxUID


def dicom_bytes(ds: Dataset) -> bytes:
    """The file of a DICOM object."""
    file = io.BytesIO()
    pydicom.dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


def contour_file(count: int) -> bytes:
    """``count`` contour points as biv-me writes them."""
    lines = ["x\ty\tz\tcontour type\tframeID\tweight\ttime frame"]
    kinds = ("SAX_LV_ENDOCARDIAL", "SAX_RV_SEPTUM", "LAX_LV_EPICARDIAL", "MITRAL_VALVE")[:count]
    lines += [f"{1.5 * k}\t-2.0\t3.25\t{kind}\t{k}\t1.0\t7" for k, kind in enumerate(kinds)]
    return ("\n".join(lines) + "\n").encode()


def job_file(folder: Path) -> bytes:
    """A job's own file."""
    job = Job(
        "sax.nrrd",
        Options(method="shape", spacing=5.0, frame=0, seed=3),
        ModelChoice(device="cpu"),
        "drawn.seg.nrrd",
    )
    write_job(folder, job)
    return (folder / JOB_FILE).read_bytes()


def model_folder(folder: Path) -> None:
    """A model small enough to be loaded thousands of times, its weights random."""
    folder.mkdir()
    weights = {}
    for part, network in build(TINY).parts.items():
        weights[part] = folder / f"{part}.trained"
        save_file(network.state_dict(), weights[part])
    write_bundle(folder, TINY, weights, {"name": "tiny", "licence": "none"})
