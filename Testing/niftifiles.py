"""NIfTI files made by hand, for tests that want what no library would write."""

import struct

import numpy as np

CODES = {"uint8": 2, "int16": 4, "int32": 8, "float32": 16, "float64": 64, "uint16": 512}
SIZES, SPACING = (20, 16, 6), (1.5, 1.4, 9.0)


def affine(rotation=None, spacing=SPACING, origin=(-12.0, 8.0, 30.0)) -> np.ndarray:
    """(3, 4), voxel indices to RAS."""
    rotation = np.eye(3) if rotation is None else rotation
    return np.column_stack([rotation * spacing, origin])


def random_rotation(seed: int) -> np.ndarray:
    """(3, 3), of determinant 1."""
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return rotation * [1, 1, np.linalg.det(rotation)]


def quaternion(rotation: np.ndarray) -> tuple[float, float, float]:
    """b, c and d of a rotation (nifti1.h), with a from 0."""
    from scipy.spatial.transform import Rotation

    b, c, d, a = Rotation.from_matrix(rotation).as_quat()
    return tuple(np.array([b, c, d]) * (np.sign(a) or 1))


def nifti(
    voxels: np.ndarray,
    *,
    version: int = 1,
    order: str = "<",
    sform: np.ndarray | None = None,
    codes: tuple[int, int] = (0, 1),
    rotation: np.ndarray | None = None,
    offset=(-12.0, 8.0, 30.0),
    spacing=SPACING,
    times=(1.0,),
    slope: tuple[float, float] = (1.0, 0.0),
    units: int = 2,
    intent: int = 0,
    mark: bytes | None = None,
) -> bytes:
    """A file of ``voxels`` (..., Z, Y, X). codes: of qform and sform. rotation, offset: of the qform.
    spacing: of the first three dimensions, ``times`` of those beyond.
    """
    sizes = voxels.shape[::-1]
    dim = [len(sizes), *sizes, *[1] * (7 - len(sizes))]
    pixdim = [1.0, *spacing, *times, *[1.0] * (4 - len(times))]
    turn = np.eye(3) if rotation is None else rotation
    numbers = [*quaternion(turn), *offset, *(affine() if sform is None else sform).ravel()]
    kind, bits = CODES[voxels.dtype.name], voxels.dtype.itemsize * 8
    data = voxels.astype(voxels.dtype.newbyteorder(order)).tobytes()
    if version == 1:
        header = bytearray(352)
        struct.pack_into(order + "i", header, 0, 348)
        struct.pack_into(order + "8h", header, 40, *dim)
        struct.pack_into(order + "3h", header, 68, intent, kind, bits)
        struct.pack_into(order + "11f", header, 76, *pixdim, 352, *slope)
        header[123] = units
        struct.pack_into(order + "2h", header, 252, *codes)
        struct.pack_into(order + "18f", header, 256, *numbers)
        header[344:348] = mark or b"n+1\0"
        return bytes(header) + data
    header = bytearray(544)
    struct.pack_into(order + "i", header, 0, 540)
    header[4:12] = mark or b"n+2\0\r\n\x1a\n"
    struct.pack_into(order + "2h", header, 12, kind, bits)
    struct.pack_into(order + "8q", header, 16, *dim)
    struct.pack_into(order + "8d", header, 104, *pixdim)
    struct.pack_into(order + "q2d", header, 168, 544, *slope)
    struct.pack_into(order + "2i", header, 344, *codes)
    struct.pack_into(order + "18d", header, 352, *numbers)
    struct.pack_into(order + "2i", header, 500, units, intent)
    return bytes(header) + data
