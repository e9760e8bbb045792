"""MetaImage files, as ITK writes them and otherwise."""

import zlib

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.io.volumes import read_stack

VOXELS = np.random.default_rng(1).integers(0, 900, (4, 6, 5)).astype(np.int16)


@pytest.fixture
def written(tmp_path):
    """An image of VOXELS as ITK writes it, packed or not."""

    def write(packed=False):
        image = sitk.GetImageFromArray(VOXELS)
        image.SetSpacing((1.5, 1.4, 8))
        image.SetOrigin((5, 6, 7))
        image.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
        sitk.WriteImage(image, str(tmp_path / "v.mha"), useCompression=packed)
        return tmp_path / "v.mha"

    return write


def change(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["v.mha", "v.nii.gz", "v.nrrd"])
def test_it_is_read_as_itk_wrote_it_under_any_name(written, packed, name):
    path = written(packed)
    path = path.rename(path.with_name(name))
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.frames[0], VOXELS)
    np.testing.assert_allclose(stack.origins[0], [5, 6, 7])
    np.testing.assert_allclose([stack.step_x, stack.step_y], [[0, 1.5, 0], [-1.4, 0, 0]], atol=1e-12)


def test_the_other_byte_order(written):
    path = change(written(), b"BinaryDataByteOrderMSB = False", b"BinaryDataByteOrderMSB = True")
    data = path.read_bytes()
    head = data[: -VOXELS.nbytes]
    path.write_bytes(head + VOXELS.astype(">i2").tobytes())
    np.testing.assert_array_equal(read_stack(path).frames[0], VOXELS)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"ElementType = MET_SHORT", b"ElementNumberOfChannels = 3\nElementType = MET_UCHAR", "colour"),
        (b"BinaryData = True", b"BinaryData = False", "text"),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = LIST", "several files"),
        (b"ElementType = MET_SHORT", b"ElementType = MET_STRING", "damaged"),
        (b"NDims = 3", b"NDims = 2", "damaged"),
        (b"ElementSpacing = 1.5", b"ElementSpacing = nan", "zero or negative"),
        (b"Offset = 5", b"Offset = nan", "not a number"),
    ],
)
def test_what_is_not_read_is_refused(written, old, new, sentence):
    with pytest.raises(InputError, match=sentence):
        read_stack(change(written(), old, new))


@pytest.mark.parametrize("damage", ["cut", "bit", "checksum", "longer"])
def test_packed_voxels_that_are_cut_short_or_damaged_are_refused(written, damage):
    """ITK hands out what it could unpack."""
    path = written(packed=True)
    data = path.read_bytes()
    start = data.index(b"LOCAL\n") + 6
    packed = bytearray(data[start:])
    if damage == "cut":
        del packed[len(packed) // 2 :]
    elif damage == "longer":
        packed = zlib.compress(VOXELS.tobytes() * 2)
    else:
        packed[len(packed) // 2 if damage == "bit" else -1] ^= 8
    path.write_bytes(data[:start] + packed)
    with pytest.raises(InputError, match="damaged"):
        read_stack(path)


def test_voxels_beside_the_header_and_not_elsewhere(written):
    data = written().read_bytes()
    start = data.index(b"LOCAL\n")
    folder = written().parent / "case"
    folder.mkdir()
    (folder / "voxels.raw").write_bytes(data[start + 6 :])
    path = folder / "v.mhd"
    path.write_bytes(data[:start] + b"voxels.raw\n")
    np.testing.assert_array_equal(read_stack(path).frames[0], VOXELS)
    (folder / "voxels.raw").rename(folder.parent / "voxels.raw")
    path.write_bytes(data[:start] + b"../voxels.raw\n")
    with pytest.raises(InputError, match="outside its folder"):
        read_stack(path)
