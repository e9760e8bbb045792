"""Files told apart by what they hold, and headers that claim too much."""

import bz2
import gzip
import os
import resource
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.io import volumes
from dmcvr.io.formats import SUFFIXES
from dmcvr.io.sanity import MOST_VOXELS

PACK = {".nii.gz": gzip.compress, ".nii.bz2": bz2.compress}
HUGE = (1024, 1024, 40, 50)
NRRD = """NRRD0005
type: short
dimension: {dimension}
space: left-posterior-superior
sizes: {sizes}
space directions: {directions}
kinds: {kinds}
endian: little
encoding: {encoding}
space origin: (0,0,0)
"""
META = """ObjectType = Image
NDims = {dimension}
BinaryData = True
CompressedData = {packed}
TransformMatrix = {matrix}
Offset = {offset}
ElementSpacing = {spacing}
DimSize = {sizes}
ElementType = MET_SHORT
"""


def nrrd(sizes, encoding="raw"):
    cine = len(sizes) == 4
    return NRRD.format(
        dimension=len(sizes),
        sizes=" ".join(map(str, sizes)),
        directions="(1.5,0,0) (0,1.5,0) (0,0,8)" + " none" * cine,
        kinds="domain domain domain" + " list" * cine,
        encoding=encoding,
    ).encode()


def meta(sizes, packed="False"):
    count = len(sizes)
    return META.format(
        dimension=count,
        packed=packed,
        matrix=" ".join(f"{v:g}" for v in np.eye(count).ravel()),
        offset=" ".join(["0"] * count),
        spacing=" ".join(["1.5", "1.5", "8", "40"][:count]),
        sizes=" ".join(map(str, sizes)),
    ).encode()


def nifti(sizes):
    """Along the patient's axes, the slices upward."""
    header = bytearray(352)
    header[:4] = struct.pack("<i", 348)
    header[40:56] = struct.pack("<8h", len(sizes), *sizes, *[1] * (7 - len(sizes)))
    header[70:74] = struct.pack("<hh", 4, 16)
    header[76:108] = struct.pack("<8f", 1, 1.5, 1.5, 8, 40, 1, 1, 1)
    header[108:112] = struct.pack("<f", 352)
    header[252:256] = struct.pack("<2h", 1, 0)
    header[256:280] = struct.pack("<6f", 0, 0, 1, 0, 0, 0)
    header[344:348] = b"n+1\0"
    return bytes(header)


def write(folder, suffix, sizes, voxels):
    """A file of ``sizes`` whose header claims them, with the bytes ``voxels`` behind it or beside it."""
    path = folder / f"image{suffix}"
    if suffix == ".nii":
        path.write_bytes(nifti(sizes) + voxels)
    elif suffix in PACK:
        path.write_bytes(PACK[suffix](nifti(sizes) + voxels, 1))
    elif suffix == ".nrrd":
        path.write_bytes(nrrd(sizes) + b"\n" + voxels)
    elif suffix == ".nhdr":
        path.write_bytes(nrrd(sizes) + b"data file: image.raw\n")
        (folder / "image.raw").write_bytes(voxels)
    elif suffix == ".mha":
        path.write_bytes(meta(sizes) + b"ElementDataFile = LOCAL\n" + voxels)
    else:
        path.write_bytes(meta(sizes) + b"ElementDataFile = image.raw\n")
        (folder / "image.raw").write_bytes(voxels)
    return path


@pytest.fixture
def peak():
    """Runs something with an address space that ends 1 GiB beyond what is in use."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_these_headers_are_good(tmp_path, suffix):
    voxels = np.arange(4 * 6 * 5 * 3).astype("<i2")
    stack = volumes.read_stack(write(tmp_path, suffix, (5, 6, 4, 3), voxels.tobytes()))
    np.testing.assert_array_equal(stack.frames.ravel(), voxels)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_huge_image_is_refused_before_any_memory_is_asked_for(tmp_path, suffix, peak):
    """Sparse where the format allows, so that even the voxels are there."""
    path = write(tmp_path, suffix, HUGE, bytes(1000))
    if suffix not in PACK:
        target = tmp_path / "image.raw" if suffix in (".nhdr", ".mhd") else path
        os.truncate(target, target.stat().st_size + 2 * int(np.prod(HUGE)))
    assert np.prod(HUGE) > MOST_VOXELS
    with pytest.raises(InputError, match=r"2097 million voxels .* crop"):
        volumes.read_stack(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_size_that_is_a_mere_claim_is_refused(tmp_path, suffix, peak):
    path = write(tmp_path, suffix, (1000, 1000, 500), bytes(2000))
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        volumes.read_stack(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_file_that_unpacks_without_end_is_read_no_further_than_its_voxels(tmp_path):
    voxels = np.arange(4 * 6 * 5).astype("<i2").tobytes()
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(nifti((5, 6, 4)) + voxels, 1) + gzip.compress(bytes(1 << 26), 9) * 64)
    assert volumes.read_stack(path).frames.shape == (1, 4, 6, 5)


def test_lines_without_sense_in_an_nrrd_header_are_refused_and_long_notes_are_not(tmp_path):
    voxels = np.arange(4 * 6 * 5).astype("<i2").tobytes()
    for number, line in enumerate((b"x" * 5000, b"kinds: " + b"domain " * 900, b"y" * (1 << 20))):
        path = tmp_path / f"{number}.nrrd"
        path.write_bytes(nrrd((5, 6, 4)) + line + b"\n\n" + voxels)
        with pytest.raises(InputError, match="damaged"):
            volumes.read_stack(path)
    path.write_bytes(nrrd((5, 6, 4)) + b"# " + b"x" * 9000 + b"\nnote:=" + b"y" * 90000 + b"\n\n" + voxels)
    assert volumes.read_stack(path).frames.shape == (1, 4, 6, 5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"NDims = 3", b"NDims = 65536"),
        (b"NDims = 3", b"NDims = -3"),
        (b"Offset = 0 0 0", b"Offset =" + b" 0" * 5000),
        (b"CompressedData = False", b"CompressedData = True\nCompressedDataSize = 99999999999999999999"),
        (b"BinaryData = True", b"BinaryData = True\n" * 2),
        (b"BinaryData = True", b"BinaryData = True\n" + b"x" * 600),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = %s%n.raw 1 9 1"),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = other.raw"),
    ],
)
def test_a_meta_image_header_without_sense_is_refused(tmp_path, old, new):
    path = write(tmp_path, ".mha", (5, 6, 4), bytes(range(240)))
    good = path.read_bytes()
    assert old in good
    (tmp_path / "other.raw").write_bytes(bytes(range(240)))
    path.write_bytes(good.replace(old, new))
    with pytest.raises(InputError, match=r"damaged|several files"):
        volumes.read_stack(path)


def test_a_meta_image_with_notes_of_its_own_is_read(tmp_path):
    image = sitk.GetImageFromArray(np.arange(120).reshape(4, 5, 6).astype(np.int16))
    image.SetSpacing((1.5, 1.5, 8))
    image.SetMetaData("Remark", "as exported = on a Monday " * 40)
    sitk.WriteImage(image, str(tmp_path / "image.mha"), useCompression=True)
    assert b"Remark" in (tmp_path / "image.mha").read_bytes()
    assert volumes.read_stack(tmp_path / "image.mha").frames.shape == (1, 4, 5, 6)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "image.nrrd")
    with pytest.raises(InputError, match="cannot be read"):
        volumes.read_stack(tmp_path / "image.nrrd")


def test_a_library_is_imported_for_its_own_format_only(tmp_path):
    for suffix in (".mha", ".nrrd", ".nii"):
        write(tmp_path, suffix, (5, 6, 4), bytes(range(240)))
    program = (
        "import sys\n"
        "from dmcvr.io import inputs, volumes\n"
        "for suffix in ('.mha', '.nrrd', '.nii'):\n"
        "    volumes.read_grid(f'{sys.argv[1]}/image{suffix}')\n"
        "    print(*sorted({'nibabel', 'nrrd'} & set(sys.modules)), sep=',')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split("\n") == ["", "nrrd", "nibabel,nrrd", ""]
