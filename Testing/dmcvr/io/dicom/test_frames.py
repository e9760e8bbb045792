"""Objects of several frames: attributes are read from where the standard puts them."""

import numpy as np
import pytest
from dicomtones import (
    FRAMES,
    SAX_NORMAL,
    SHAPE,
    SPACING,
    assert_true_places,
    axes,
    dataset,
    places,
    tone,
    write,
)
from dmcvr.core.errors import InputError
from dmcvr.io.dicom.study import read_study
from Fuzzing.samples import jpeg2000
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage, generate_uid


def item(**attributes):
    """A sequence of one item."""
    found = Dataset()
    for keyword, value in attributes.items():
        setattr(found, keyword, value)
    return [found]


def enhanced(origins, frames=FRAMES, decoy=0.0, scales=None):
    """A cine stack in one enhanced object, time by time.

    decoy: mm by which positions in a private sequence at the end of each frame are off the public ones.
    scales: slope and intercept of each frame; pixels are such that they give the tones.
    """
    ds = dataset(origins[0])
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = EnhancedMRImageStorage
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "TriggerTime"):
        delattr(ds, keyword)
    x, y = axes(SAX_NORMAL)
    cosines = [f"{v:.9f}" for v in (*x, *y)]
    shared, groups, pixels = Dataset(), [], []
    shared.PixelMeasuresSequence = item(PixelSpacing=[SPACING[1], SPACING[0]])
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=cosines)
    for frame in range(frames):
        for origin in origins:
            group = Dataset()
            group.PlanePositionSequence = item(ImagePositionPatient=[f"{v:.9g}" for v in origin])
            group.CardiacSynchronizationSequence = item(NominalCardiacTriggerDelayTime=20.0 + 40 * frame)
            group.FrameContentSequence = item(TemporalPositionIndex=frame + 1)
            image = tone(np.asarray(dataset_points(origin)), frame).astype(float)
            if scales is not None:
                slope, intercept = scales[len(groups)]
                group.PixelValueTransformationSequence = item(RescaleSlope=slope, RescaleIntercept=intercept)
                image = (image - intercept) / slope
            if decoy:
                block = group.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
                private = item(
                    ImagePositionPatient=[f"{v:.9g}" for v in origin + decoy],
                    ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
                    PixelSpacing=[9, 9],
                    NominalCardiacTriggerDelayTime=0.0,
                    TemporalPositionIndex=1,
                    RescaleSlope=7,
                    RescaleIntercept=70,
                )
                block.add_new(0x0F, "SQ", private)
            groups.append(group)
            pixels.append(np.round(image).astype(np.uint16))
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], groups
    ds.NumberOfFrames, ds.PixelData = len(groups), np.stack(pixels).tobytes()
    return ds


def dataset_points(origin):
    """(H, W, 3) of the SAX pixels."""
    x, y = axes(SAX_NORMAL)
    rows, columns = np.indices(SHAPE)[..., None]
    return np.asarray(origin) + columns * x * SPACING[0] + rows * y * SPACING[1]


@pytest.mark.parametrize("decoy", [0.0, 2.0])
def test_private_sequences_do_not_move_an_enhanced_object(tmp_path, decoy):
    write(enhanced(places(), decoy=decoy), tmp_path)
    study = read_study(tmp_path)
    np.testing.assert_allclose(study.sax.origins, places(), atol=1e-6)
    np.testing.assert_allclose(study.sax.times, 20 + 40 * np.arange(FRAMES))
    assert_true_places(study.sax)
    assert study.warnings == ()


def test_an_object_with_private_positions_alone_is_refused(tmp_path):
    ds = enhanced(places(), decoy=2.0)
    for group in ds.PerFrameFunctionalGroupsSequence:
        del group.PlanePositionSequence
    write(ds, tmp_path)
    with pytest.raises(InputError, match="where it lies"):
        read_study(tmp_path)


def test_a_group_of_the_frame_goes_before_the_shared_one_and_the_object(tmp_path):
    ds = enhanced(places())
    ds.ImagePositionPatient, ds.PixelSpacing = [0, 0, 0], [9, 9]
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.PlanePositionSequence = item(ImagePositionPatient=[1, 1, 1])
    write(ds, tmp_path)
    assert_true_places(read_study(tmp_path).sax)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["of each frame", "shared", "of the object", "none"])
def test_slopes_are_applied_once_to_each_frame(tmp_path, kind, packed):
    count = FRAMES * len(places())
    scales = [(1.0 + (k % 4) / 4, -4.0 * k) for k in range(count)] if kind == "of each frame" else None
    ds = enhanced(places(), scales=scales)
    if kind == "shared":
        shared = item(RescaleSlope=0.5, RescaleIntercept=3)
        ds.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = shared
    if kind == "of the object":
        ds.RescaleSlope, ds.RescaleIntercept = 0.5, 3
    if packed:
        jpeg2000(ds, tmp_path)
    write(ds, tmp_path)
    stack = read_study(tmp_path).sax
    slope, intercept = (0.5, 3) if kind in ("shared", "of the object") else (1, 0)
    for frame in range(FRAMES):
        for s in range(5):
            wanted = slope * tone(stack.plane(s).points(), frame).astype(float) + intercept
            np.testing.assert_allclose(stack.frames[frame, s], wanted, atol=1.6)


def test_frames_without_a_group_are_told(tmp_path):
    ds = enhanced(places())
    ds.NumberOfFrames += 3
    ds.PixelData += bytes(3 * 2 * SHAPE[0] * SHAPE[1])
    write(ds, tmp_path)
    study = read_study(tmp_path)
    assert [(item.count, item.what) for item in study.left_out] == [(3, "image")]


def plain(origin, **changes):
    """A cine in one object without functional groups."""
    ds = dataset(origin)
    frames = [tone(dataset_points(origin), frame) for frame in range(FRAMES)]
    ds.NumberOfFrames, ds.PixelData, ds.TriggerTime = FRAMES, np.stack(frames).tobytes(), 20
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


@pytest.mark.parametrize(
    "timing",
    [
        {"FrameTime": 40},
        {"FrameTime": 40, "FrameIncrementPointer": 0x00181063},
        {"FrameTimeVector": [0, 40, 40, 40, 40, 40], "FrameIncrementPointer": 0x00181065},
    ],
)
def test_every_frame_of_a_plain_object_counts(tmp_path, timing):
    for origin in places():
        write(plain(origin, **timing), tmp_path)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 5)
    np.testing.assert_allclose(study.sax.times, 20 + 40 * np.arange(FRAMES))
    assert_true_places(study.sax)
    assert study.left_out == ()


@pytest.mark.parametrize("pointer", [None, 0x00540080, [0x00540070, 0x00540080], 0x00182005])
def test_frames_that_are_not_told_to_be_in_time_are_refused_by_name(tmp_path, pointer):
    for origin in places():
        ds = plain(origin)
        if pointer is not None:
            ds.FrameIncrementPointer = pointer
        write(ds, tmp_path)
    with pytest.raises(InputError, match="several frames each but do not say"):
        read_study(tmp_path)


def test_such_an_object_beside_the_stack_is_a_warning(tmp_path):
    for origin in places():
        write(plain(origin, FrameTime=40), tmp_path)
    write(plain(places(6)[5]), tmp_path)
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 5
    assert study.warnings[0].startswith(f"{FRAMES} images were left out: several frames in one object")


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("about", ["bits", "brightest"])
@pytest.mark.parametrize("packed", [False, True])
def test_inverted_images_are_turned_back(tmp_path, signed, about, packed):
    for index, origin in enumerate(places()):
        ds = dataset(origin)
        image = (index + 1) * (ds.pixel_array.astype(int) - 1000)
        if index == 2:
            image[0, 0] = 0  # black as air
        elif about == "brightest":
            image[0, 0] = 0
        largest = image.max() + 7 if about == "brightest" else -1 if signed else 4095
        ds.PhotometricInterpretation, ds.PixelRepresentation = "MONOCHROME1", signed
        ds.BitsStored, ds.HighBit = (16, 15) if signed or packed else (12, 11)
        if packed and about == "bits" and not signed:
            largest = 65535
        ds.PixelData = (largest - image).astype("<i2" if signed else "<u2").tobytes()
        ds.SOPInstanceUID = generate_uid()
        if packed:
            jpeg2000(ds, tmp_path)
        write(ds, tmp_path)
    stack = read_study(tmp_path).sax
    for s in range(5):
        if about == "bits":
            wanted = (s + 1) * (tone(stack.plane(s).points(), 0).astype(float) - 1000)
            np.testing.assert_array_equal(stack.frames[0, s][1:], wanted[1:])
        else:  # each with a brightest value of its own
            gradient = (s + 1) * np.diff(tone(stack.plane(s).points(), 0).astype(float)[1:], axis=0)
            np.testing.assert_array_equal(np.diff(stack.frames[0, s][1:], axis=0), gradient)
            assert stack.frames[0, s].min() >= 0
