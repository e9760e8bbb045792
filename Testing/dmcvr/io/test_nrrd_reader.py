"""NRRD files of every kind that the format allows for an image."""

import bz2
import gzip
import os

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.io.volumes import read_stack

SHAPE = (4, 6, 5)
CINE = np.random.default_rng(1).integers(0, 900, (3, *SHAPE)).astype("<i2")
STEPS = ("(1.5,0,0)", "(0,1.5,0)", "(0,0,8)")


def nrrd(array, fields, kinds="domain domain domain", encoding="raw", data=None):
    """A file of ``array``, whose axes are the header's in reverse order."""
    lines = ["NRRD0005", "# made by hand", "type: short", f"dimension: {array.ndim}"]
    lines += [f"sizes: {' '.join(map(str, array.shape[::-1]))}", f"kinds: {kinds}", *fields]
    lines += ["endian: little", f"encoding: {encoding}"]
    return "\n".join(lines).encode() + b"\n\n" + (array.tobytes() if data is None else data)


def placed(array, directions=STEPS, space="left-posterior-superior", **more):
    fields = [f"space: {space}", f"space directions: {' '.join(directions)}", "space origin: (1,2,3)"]
    return nrrd(array, fields + more.pop("fields", []), **more)


def read(folder, data, name="v.nrrd"):
    (folder / name).write_bytes(data)
    told = []
    return read_stack(folder / name, told.append), told


@pytest.mark.parametrize("kind", ["time", "list", "domain", "none"])
@pytest.mark.parametrize("axis", range(4))
def test_frames_lie_along_whichever_axis_is_not_in_space(tmp_path, kind, axis):
    kinds, directions = ["domain"] * 3, list(STEPS)
    kinds.insert(axis, kind)
    directions.insert(axis, "none")
    array = np.moveaxis(CINE, 0, 3 - axis)
    spacings = ["nan"] * 3
    spacings.insert(axis, "35")
    stack, told = read(
        tmp_path,
        placed(
            np.ascontiguousarray(array),
            directions,
            kinds=" ".join(kinds),
            fields=[f"spacings: {' '.join(spacings)}"],
        ),
    )
    assert told == []
    np.testing.assert_array_equal(stack.frames, CINE)
    np.testing.assert_allclose(stack.times, [0, 35, 70])


def test_time_as_a_fourth_axis_of_space(tmp_path):
    directions = ["(1.5,0,0,0)", "(0,1.5,0,0)", "(0,0,8,0)", "(0,0,0,0.035)"]
    data = placed(CINE, directions, "left-posterior-superior-time", kinds="space space space time").replace(
        b"(1,2,3)", b"(1,2,3,0)"
    )
    stack, _ = read(tmp_path, data)
    np.testing.assert_allclose(stack.times, [0, 35, 70])
    np.testing.assert_allclose(stack.origins[0], [1, 2, 3])


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("gz", gzip.compress),
        ("bzip2", bz2.compress),
        ("bz2", bz2.compress),
        ("hex", lambda data: data.hex().encode()),
        ("ascii", lambda data: " ".join(map(str, np.frombuffer(data, "<i2"))).encode()),
        ("text", lambda data: "\n".join(map(str, np.frombuffer(data, "<i2"))).encode()),
    ],
)
def test_every_encoding_is_read(tmp_path, encoding, pack):
    stack, _ = read(tmp_path, placed(CINE[0], encoding=encoding, data=pack(CINE[0].tobytes())))
    np.testing.assert_array_equal(stack.frames[0], CINE[0])


@pytest.mark.parametrize(
    ("space", "origin"),
    [
        ("left-posterior-superior", [1, 2, 3]),
        ("LPS", [1, 2, 3]),
        ("right-anterior-superior", [-1, -2, 3]),
        ("RAS", [-1, -2, 3]),
        ("left-anterior-superior", [1, -2, 3]),
        ("LAS", [1, -2, 3]),
    ],
)
def test_every_space_is_turned_to_lps(tmp_path, space, origin):
    stack, told = read(tmp_path, placed(CINE[0], space=space))
    assert told == []
    ends = stack.origins[[0, -1]]  # sorted the other way where the axes are left-handed
    assert min(np.abs(ends - origin).sum(1)) == pytest.approx(0)


@pytest.mark.parametrize(
    "fields",
    [
        ["spacings: 1.5 1.5 8"],
        ["space: scanner-xyz", f"space directions: {' '.join(STEPS)}"],
        ["space dimension: 3", f"space directions: {' '.join(STEPS)}"],
    ],
)
def test_a_header_that_does_not_name_the_patients_sides_is_told(tmp_path, fields):
    stack, told = read(tmp_path, nrrd(CINE[0], fields))
    assert "how its slices lie in the patient" in told[0]
    np.testing.assert_allclose(stack.gaps, 8)


@pytest.mark.parametrize("name", ["voxels.raw", os.fsdecode(b"caf\xe9.raw"), "with space.raw"])
def test_voxels_beside_the_header(tmp_path, name):
    (tmp_path / name).write_bytes(b"ten bytes!a line\n" + CINE[0].tobytes())
    head = placed(CINE[0], fields=["byte skip: 10", "line skip: 1"], data=b"")
    line = b"data file: " + os.fsencode(name) + b"\n"
    path = tmp_path / "v.nhdr"
    path.write_bytes(head.rstrip(b"\n").replace(b"byte skip: 10", b"byte skip: 0") + b"\n" + line)
    (tmp_path / name).write_bytes(b"a line\n" + CINE[0].tobytes())
    np.testing.assert_array_equal(read_stack(path).frames[0], CINE[0])
    path.write_bytes(head.rstrip(b"\n").replace(b"byte skip: 10", b"byte skip: -1") + b"\n" + line)
    np.testing.assert_array_equal(read_stack(path).frames[0], CINE[0])


def test_voxels_at_the_end_of_the_file(tmp_path):
    few = np.ascontiguousarray(CINE[0, :, :2, :2])
    data = placed(few, fields=["byte skip: -1"], data=b"something else" + few.tobytes())
    np.testing.assert_array_equal(read(tmp_path, data)[0].frames[0], few)
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path, data[: -few.nbytes])


@pytest.mark.parametrize("inside", ["voxels/image.raw", "./voxels/../voxels/image.raw"])
def test_voxels_are_taken_from_the_headers_folder_only(tmp_path, inside):
    folder, path = tmp_path / "case", tmp_path / "case" / "v.nhdr"
    (folder / "voxels").mkdir(parents=True)
    (folder / inside).write_bytes(CINE[0].tobytes())
    (tmp_path / "other.raw").write_bytes(CINE[1].tobytes())
    head = placed(CINE[0], data=b"").rstrip(b"\n") + b"\ndata file: "
    for name in (inside, folder / inside):
        path.write_bytes(head + os.fsencode(name) + b"\n")
        np.testing.assert_array_equal(read_stack(path).frames[0], CINE[0])
    for name in ("../other.raw", "voxels/../../other.raw", tmp_path / "other.raw"):
        path.write_bytes(head + os.fsencode(name) + b"\n")
        with pytest.raises(InputError, match="outside its folder"):
            read_stack(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"space directions: (1.5,0,0) (0,1.5,0)", b"Space  Directions: ( 1.5, 0, 0 )  (0 ,1.5, 0)"),
        (b"type: short", b"Type: SHORT"),
        (b"endian: little\n", b""),
        (b"space origin: (1,2,3)", b"space origin: (1, 2, 3)"),
        (b"kinds: domain domain domain", b"kinds: DOMAIN Domain domain"),
        (b"type: short", b"type: short\ntype:=of patient\nunits:=it's"),
        (b"type: short", b"type: short\r"),
    ],
)
def test_what_other_programs_write_otherwise_means_the_same(tmp_path, old, new):
    data = placed(CINE[0])
    assert old in data
    stack, told = read(tmp_path, data.replace(old, new))
    assert told == []
    np.testing.assert_array_equal(stack.frames[0], CINE[0])
    np.testing.assert_allclose(stack.origins[0], [1, 2, 3])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"type: short", b"type: block"),
        (b"type: short\n", b""),
        (b"endian: little", b"endian: middle"),
        (b"dimension: 3", b"dimension: three"),
        (b"sizes: 5 6 4", b"sizes: 5 nan 4"),
        (b"sizes: 5 6 4", b"sizes: 5 6 1e400"),
        (b"space origin: (1,2,3)", b"space origin: (1,2)"),
        (b"space origin: (1,2,3)", b"space origin:"),
        (b"(0,0,8)", b"(0,0,8,0,0)"),
        (b"(1.5,0,0)", b"(1.5,0,zero)"),
        (b"kinds: domain domain domain", b"kinds: domain domain"),
        (b"endian: little", b"endian: little\nendian: big"),
        (b"endian: little", b"endian: little\nline skip: -1"),
        (b"endian: little", b"endian: little\nbyte skip: -2"),
        (b"NRRD0005", b"NRRD0009"),
        (b"NRRD0005", b"NRRD0005:=5"),
    ],
)
def test_a_header_without_sense_is_refused(tmp_path, old, new):
    data = placed(CINE[0])
    assert old in data
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path, data.replace(old, new))


@pytest.mark.parametrize(
    ("kinds", "directions", "sentence"),
    [
        ("RGB-color domain domain domain", ("none", *STEPS), "colour"),
        ("3-vector domain domain domain", ("none", *STEPS), "colour"),
        ("domain domain domain vector", (*STEPS, "none"), "colour"),
        ("complex domain domain domain", ("none", *STEPS), "complex"),
    ],
)
def test_vectors_are_refused(tmp_path, kinds, directions, sentence):
    axis = directions.index("none")
    array = np.ascontiguousarray(np.moveaxis(CINE, 0, 3 - axis))
    with pytest.raises(InputError, match=sentence):
        read(tmp_path, placed(array, directions, kinds=kinds))


def test_several_axes_of_frames_and_several_files_are_refused(tmp_path):
    five = np.stack([CINE, CINE])
    with pytest.raises(InputError, match="four with time"):
        read(tmp_path, placed(five, (*STEPS, "none", "none"), kinds="domain domain domain list time"))
    for text in ("LIST", "slice%03d.raw 1 4 1"):
        data = placed(CINE[0], fields=[f"data file: {text}"])
        with pytest.raises(InputError, match="several files"):
            read(tmp_path, data)
    with pytest.raises(InputError, match="encoding"):
        read(tmp_path, placed(CINE[0], encoding="zrl"))
