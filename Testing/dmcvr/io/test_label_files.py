"""Labels belong to a stack by where they lie and by what they mean."""

import warnings

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.stack import Stack
from dmcvr.io.label_files import read_labels
from dmcvr.io.nrrd import write_segmentation, write_stack
from dmcvr.io.volumes import read_stack
from hypothesis import given, settings
from hypothesis import strategies as st
from niftifiles import random_rotation

OBLIQUE = random_rotation(2)


def image(axes=OBLIQUE, size=(20, 16, 5), spacing=(1.5, 1.4, 9.0), origin=(-30.0, 12.5, 40.0)):
    """A float image of noise."""
    noise = np.random.default_rng(0).uniform(1, 900, size[::-1])
    out = sitk.GetImageFromArray(noise.astype(np.float32))
    out.SetSpacing(spacing)
    out.SetOrigin(origin)
    out.SetDirection(np.ravel(axes))
    return out


def save(picture, path):
    sitk.WriteImage(picture, str(path))
    return path


def heart(size=(20, 16, 5)):
    """Rings of LVM about LVC with RVC beside them, (S, H, W)."""
    rows, columns = np.indices(size[1::-1])
    radius = np.hypot(rows - 8, columns - 12)
    ring = np.where(radius < 3, 1, np.where(radius < 5, 2, np.where((columns < 8) & (columns > 3), 3, 0)))
    return np.repeat(ring[None].astype(np.uint8), size[2], axis=0)


def label_image(labels, like):
    out = sitk.GetImageFromArray(labels)
    out.CopyInformation(like)
    return out


@pytest.mark.parametrize("flip", [(1, 1, 1), (1, 1, -1)])
def test_labels_are_remapped_and_sorted_with_their_stack(tmp_path, flip):
    picture, drawn = image(OBLIQUE * flip), heart()
    drawn[4] = 0
    stack = read_stack(save(picture, tmp_path / "v.nii.gz"))
    numbers = np.array([0, 5, 2, 9], np.uint8)[drawn]
    path = save(label_image(numbers, picture), tmp_path / "l.nii.gz")
    labels = read_labels(path, stack, (5, 2, 9))
    assert labels.dtype == np.uint8
    assert np.array_equal(labels[0], drawn[:: flip[2]])


def test_labels_of_every_frame(tmp_path):
    stack = read_stack(save(sitk.JoinSeries([image()] * 3, 0.0, 0.03), tmp_path / "v.nii.gz"))
    drawn = sitk.JoinSeries([label_image(heart(), image())] * 3)
    assert read_labels(save(drawn, tmp_path / "l.nrrd"), stack).shape == (3, 5, 16, 20)
    with pytest.raises(InputError, match="2 frames"):
        read_labels(save(drawn[..., :2], tmp_path / "l.nrrd"), stack)


@pytest.mark.parametrize("values", [(1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)])
def test_swapped_labels_name_the_option_that_cures_them(tmp_path, values):
    stack = read_stack(save(image(), tmp_path / "v.nrrd"))
    path = save(label_image(heart(), image()), tmp_path / "l.nrrd")
    with pytest.raises(InputError, match="--label-values 1,2,3"):
        read_labels(path, stack, values)


def test_labels_that_do_not_fit_are_refused(tmp_path):
    stack = read_stack(save(image(), tmp_path / "v.nrrd"))
    path = tmp_path / "l.nrrd"
    with pytest.raises(InputError, match="values besides"):
        read_labels(save(label_image(heart() * 10, image()), path), stack)
    with pytest.raises(InputError, match="empty"):
        read_labels(save(label_image(heart() * 0, image()), path), stack)
    with pytest.raises(InputError, match="mm away"):
        read_labels(save(label_image(heart(), image(origin=(-28.0, 12.5, 40.0))), path), stack)


def test_cropped_slicer_segmentation_is_put_back_by_name(tmp_path):
    stack = read_stack(save(image(), tmp_path / "v.nrrd"))
    drawn = heart()
    crop = label_image(np.array([0, 3, 1, 2], np.uint8)[drawn], image())[3:18, 3:14, 0:5]
    for number, (name, value) in enumerate([("RVC", 2), ("lvc", 3), ("LVM", 1)]):
        crop.SetMetaData(f"Segment{number}_ID", f"Segment_{number}")
        crop.SetMetaData(f"Segment{number}_Name", name)
        crop.SetMetaData(f"Segment{number}_LabelValue", str(value))
    labels = read_labels(save(crop, tmp_path / "s.seg.nrrd"), stack)
    inside = np.zeros_like(drawn)
    inside[:, 3:14, 3:18] = drawn[:, 3:14, 3:18]
    assert np.array_equal(labels[0], inside)


def test_own_segmentation_is_read_back(tmp_path):
    stack = read_stack(save(image(), tmp_path / "v.nrrd"))
    plane = stack.plane(0)
    grid = Grid(plane.origin, plane.step_x, plane.step_y, stack.normal * 9, (5, 16, 20))
    write_segmentation(tmp_path / "s.seg.nrrd", heart(), grid)
    assert np.array_equal(read_labels(tmp_path / "s.seg.nrrd", stack)[0], heart())
    away = Stack(stack.frames, stack.origins + 500, stack.step_x, stack.step_y)
    with pytest.raises(InputError, match="none of LVC"):
        read_labels(tmp_path / "s.seg.nrrd", away)


def label_file(path, voxels, grid):
    """An NRRD file of labels (T, Z, Y, X) or (Z, Y, X) on any ``grid``, sheared ones included."""
    voxels = np.asarray(voxels)
    cine = voxels.ndim == 4
    text = [
        "NRRD0005",
        f"type: {'uint8' if voxels.dtype == np.uint8 else 'double'}",
        f"dimension: {voxels.ndim}",
    ]
    text += ["space: left-posterior-superior", f"sizes: {' '.join(map(str, voxels.shape[::-1]))}"]
    vectors = [
        f"({','.join(repr(float(v)) for v in step)})" for step in (grid.step_x, grid.step_y, grid.step_z)
    ]
    text += [f"space directions: {' '.join(vectors)}{' none' if cine else ''}"]
    text += [f"kinds: domain domain domain{' list' if cine else ''}", "endian: little", "encoding: raw"]
    text += [f"space origin: ({','.join(repr(float(v)) for v in grid.origin)})"]
    path.write_bytes(
        "\n".join(text).encode() + b"\n\n" + voxels.astype(voxels.dtype.newbyteorder("<")).tobytes()
    )
    return path


@pytest.fixture(scope="module")
def drawn():
    """A stack of 6 slices of 40 x 48 pixels, its grid, and labels (S, H, W) with room about them."""
    rows, columns = np.indices((40, 48))
    labels = np.zeros((6, 40, 48), np.uint8)
    for index in range(1, 5):
        away = np.hypot(rows - 20, columns - 26 - index)
        labels[index][np.hypot(rows - 20, columns - 10 - index) < 6] = RVC
        labels[index][away < 11 - index] = LVM
        labels[index][away < 8 - index] = LVC
    grid = Grid(np.array([-30.0, 12.5, 40.0]), *(OBLIQUE * [1.5, 1.4, 9.0]).T, labels.shape)
    frames = np.random.default_rng(0).uniform(1, 900, (2, *labels.shape)).astype(np.float32)
    origins = grid.position(np.arange(6)[:, None] * [1, 0, 0])
    stack = Stack(frames, origins, grid.step_x, grid.step_y)
    return stack, grid, labels


def rearranged(labels, grid, order, flips):
    """Labels and grid with axes (z, y, x) in another order and some of them turned round."""
    steps = np.array([grid.step_z, grid.step_y, grid.step_x])
    first = np.where(flips, np.array(labels.shape) - 1, 0)
    origin = grid.position(first)
    steps = (steps * np.where(flips, -1, 1)[:, None])[list(order)]
    turned = labels[tuple(slice(None, None, -1 if flip else 1) for flip in flips)].transpose(order)
    return turned, Grid(origin, steps[2], steps[1], steps[0], turned.shape)


ORDERS = st.permutations([0, 1, 2])
FLIPS = st.tuples(st.booleans(), st.booleans(), st.booleans())


@settings(deadline=None, max_examples=30)
@given(ORDERS, FLIPS, st.booleans(), st.floats(-4e-4, 4e-4), st.integers(0, 99))
def test_whatever_the_order_and_crop_of_the_voxels_the_labels_are_the_same(
    tmp_path_factory, drawn, order, flips, crop, rounding, seed
):
    stack, grid, labels = drawn
    path = tmp_path_factory.mktemp("labels") / "l.nrrd"
    given, own = labels.astype(float) + rounding, grid
    if crop:
        inside = np.argwhere(labels)
        low = inside.min(0) - np.random.default_rng(seed).integers(0, 2, 3)
        high = inside.max(0) + 1
        given = given[tuple(map(slice, low, high))]
        own = Grid(grid.position(low), grid.step_x, grid.step_y, grid.step_z, given.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_labels(label_file(path, *rearranged(given, own, order, flips)), stack)
    np.testing.assert_array_equal(found[0], labels)


def test_on_another_lattice_in_plane_the_volumes_stay(tmp_path, drawn):
    """1 % on average; where the two lattices beat against each other, single structures up to 5 %."""
    grid, random = drawn[1], np.random.default_rng(0)
    pixels = Grid(grid.origin, grid.step_x / 2, grid.step_y / 2, grid.step_z, (6, 80, 96))
    origins = np.array([pixels.plane(z).origin for z in range(6)])
    stack = Stack(np.zeros((1, *pixels.shape), np.float32), origins, pixels.step_x, pixels.step_y)

    def truth(points):
        rows, columns = (pixels.indices(points)[..., axis] for axis in (1, 2))
        away = np.hypot(rows - 40.6, columns - 59.2)
        out = np.where(np.hypot(rows - 40.6, columns - 24.2) < 16.7, RVC, 0)
        return np.where(away < 16.8, LVC, np.where(away < 25.3, LVM, out)).astype(np.uint8)

    errors = []
    for size, right, down in random.uniform((0.4, -0.5, -0.5), (1.0, 0.5, 0.5), (20, 3)):
        step_x, step_y = size * pixels.step_x, size * pixels.step_y
        corner = grid.origin + right * step_x + down * step_y
        other = Grid(corner, step_x, step_y, grid.step_z, (6, int(80 / size), int(96 / size)))
        voxels, messages = np.stack([truth(other.plane(z).points()) for z in range(6)]), []
        found = read_labels(label_file(tmp_path / "l.nrrd", voxels, other), stack, warn=messages.append)[0]
        assert any("another grid" in message for message in messages)
        ratio = pixels.voxel_ml / other.voxel_ml
        errors.append([ratio * (found == k).sum() / (voxels == k).sum() - 1 for k in (LVC, LVM, RVC)])
    assert np.abs(errors).mean() < 0.01
    assert np.abs(errors).max() < 0.05


def test_labels_of_another_examination_are_refused_or_told(tmp_path, drawn):
    stack, grid, labels = drawn
    for shift, sentence in ((0.5, "mm away"), (1.0, "mm away")):
        moved = Grid(grid.origin + shift * grid.step_x, grid.step_x, grid.step_y, grid.step_z, grid.shape)
        with pytest.raises(InputError, match=sentence):
            read_labels(label_file(tmp_path / "l.nrrd", labels, moved), stack)
    away = Grid(grid.origin + 300, grid.step_x * 0.9, grid.step_y, grid.step_z, grid.shape)
    with pytest.raises(InputError, match="none of LVC, LVM and RVC where the image slices are"):
        read_labels(label_file(tmp_path / "l.nrrd", labels, away), stack, warn=[].append)
    told = []
    beside = Grid(grid.origin - 20 * grid.step_x, grid.step_x, grid.step_y, grid.step_z, (6, 40, 68))
    wide = np.zeros((6, 40, 68), np.uint8)
    wide[:, :, 8:56] = labels  # reaches out of the image by 12 pixels
    read_labels(label_file(tmp_path / "l.nrrd", wide, beside), stack, warn=told.append)
    assert "of the labelled voxels lie beyond the image's slices" in told[0]


def test_slices_without_voxels_are_told(tmp_path, drawn):
    stack, grid, labels = drawn
    part = Grid(grid.position([2, 0, 0]), grid.step_x, grid.step_y, grid.step_z, (4, 40, 48))
    told = []
    found = read_labels(label_file(tmp_path / "l.nrrd", labels[2:], part), stack, warn=told.append)
    np.testing.assert_array_equal(found[0], np.where(np.arange(6)[:, None, None] < 2, 0, labels))
    assert told == ["The label file does not reach slices 1, 2, which were taken to have no labels."]


def test_values_between_whole_numbers_are_refused(tmp_path, drawn):
    stack, grid, labels = drawn
    with pytest.raises(InputError, match=r"besides whole numbers, such as 1\.5"):
        read_labels(label_file(tmp_path / "l.nrrd", np.where(labels == 2, 1.5, labels), grid), stack)


def test_labels_on_slices_at_irregular_places(tmp_path, drawn):
    stack, _, labels = drawn
    places = np.array([0, 9, 18, 30, 39, 48.0])
    uneven = Stack(
        stack.frames, stack.origins[0] + places[:, None] * stack.normal, stack.step_x, stack.step_y
    )
    as_stack = Stack(labels[None].astype(np.float32), uneven.origins, uneven.step_x, uneven.step_y)
    write_stack(tmp_path / "l.nrrd", as_stack)
    np.testing.assert_array_equal(read_labels(tmp_path / "l.nrrd", uneven)[0], labels)
    with pytest.raises(InputError, match="other places"):
        read_labels(tmp_path / "l.nrrd", stack)


def layered(path, layers, segments, grid):
    """A .seg.nrrd of several layers (L, Z, Y, X); segments: name, layer and value of each."""
    label_file(path, np.asarray(layers, np.uint8), grid)
    pairs = [
        f"Segment{number}_{key}:={value}"
        for number, (name, layer, value) in enumerate(segments)
        for key, value in (("ID", f"S{number}"), ("Name", name), ("Layer", layer), ("LabelValue", value))
    ]
    head, data = path.read_bytes().split(b"\n\n", 1)
    path.write_bytes(head + b"\n" + "\n".join(pairs).encode() + b"\n\n" + data)
    return path


SEGMENTS = [("LVC", 0, 1), ("RVC", 0, 3), ("LVM", 1, 1)]


def test_segments_in_two_layers(tmp_path, drawn):
    stack, grid, labels = drawn
    told = []

    def read(wall):
        layers = [np.where(labels == LVM, 0, labels), wall]
        return read_labels(layered(tmp_path / "s.seg.nrrd", layers, SEGMENTS, grid), stack, warn=told.append)[
            0
        ]

    np.testing.assert_array_equal(read(labels == LVM), labels)
    filled = (labels == LVM) | (labels == LVC)  # a wall drawn with its cavity
    np.testing.assert_array_equal(read(filled), labels)
    assert told == []
    stroke = (labels == LVM).copy()
    right = np.argwhere(labels == RVC)[:3]
    stroke[tuple(right.T)] = True
    found = read(stroke)
    assert (found[tuple(right.T)] == LVM).all()
    assert "LVM and RVC overlap by" in told[0] or "RVC and LVM overlap by" in told[0]
    with pytest.raises(InputError, match="overlap by"):
        read((labels == LVM) | (labels == RVC))


def test_layers_without_names_are_refused(tmp_path, drawn):
    stack, grid, labels = drawn
    segments = [("One", 0, 1), ("Two", 1, 1)]
    layers = [labels == LVC, labels == LVM]
    with pytest.raises(InputError, match="name them so in Slicer"):
        read_labels(layered(tmp_path / "s.seg.nrrd", layers, segments, grid), stack)
