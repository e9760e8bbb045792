"""The phantom: its truth is what its formulas promise, and images and labels lie where they say they do."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.anatomy.function import stack_volumes_ml
from dmcvr.core.errors import InputError
from dmcvr.core.labels import BACKGROUND, LVC, LVM, RVC
from dmcvr.simulation.phantom import CONDITIONS, PhantomConfig, make_phantom, random_config
from dmcvr.simulation.phantom.ventricles import ventricles
from scipy import ndimage

SMALL = PhantomConfig(
    seed=3,
    pixel_mm=2.8,
    matrix=(112, 124),
    lax_matrix=(124, 124),
    slice_gap_mm=12.0,
    n_frames=12,
    shift_sd_mm=0.0,
)
ED, ES = 0, 1  # positions in the phantom's own frames


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(SMALL, frames=[0, 4])


def volumes_ml(phantom, frame):
    """Of background, LVC, LVM and RVC, by counting voxels."""
    grid = phantom.heart_grid(2.5)
    return np.bincount(phantom.truth(grid, frame).ravel(), minlength=4) * grid.voxel_ml


@pytest.mark.parametrize("condition", CONDITIONS)
def test_counted_voxels_have_the_volumes_asked_for(condition):
    config = random_config(5, condition, pixel_mm=5.0, matrix=(16, 16), lax_matrix=(8, 8), slice_gap_mm=30.0)
    made = make_phantom(config, frames=[0, 4])
    diastole, systole = volumes_ml(made, ED), volumes_ml(made, ES)
    assert diastole[LVC] == pytest.approx(config.edv_ml, rel=0.02)
    assert 1 - systole[LVC] / diastole[LVC] == pytest.approx(config.ef, abs=0.02)
    assert diastole[RVC] == pytest.approx(config.rv_ratio * config.edv_ml, rel=0.04)
    assert diastole[LVM] == pytest.approx(systole[LVM], rel=0.03)


def test_beat_keeps_muscle_thickens_wall_and_shortens_the_long_axis():
    moments = [ventricles(SMALL, phase) for phase in SMALL.phases]
    muscle = [moment.myocardium_ml for moment in moments]
    assert np.ptp(muscle) < 1e-3 * muscle[0]
    end_systole = moments[int(np.argmin([moment.lv_ml for moment in moments]))]
    assert end_systole.wall > 1.25 * moments[0].wall
    assert 8 < moments[0].length - end_systole.length < 22
    volumes = np.array([moment.lv_ml for moment in moments])
    assert volumes[0] == pytest.approx(SMALL.edv_ml)
    assert volumes.min() == pytest.approx(SMALL.edv_ml * (1 - SMALL.ef), rel=1e-6)
    assert (np.diff(volumes[volumes.argmin() :]) >= 0).all()


def test_cavity_is_enclosed_by_muscle_in_middle_slices(phantom):
    labels = phantom.sax_labels[ED]
    areas = (labels == LVC).sum(axis=(1, 2))
    middle = np.flatnonzero(areas > 0.6 * areas.max())[:-2]
    assert len(middle) >= 3
    for index in middle:
        rim = ndimage.binary_dilation(labels[index] == LVC, np.ones((3, 3))) & (labels[index] != LVC)
        assert set(np.unique(labels[index][rim])) == {LVM}
        assert ndimage.label(labels[index] == LVC)[1] == 1


def test_stack_runs_from_below_the_apex_to_above_the_base(phantom):
    labels = phantom.sax_labels[ED]
    assert not labels[0].any()
    assert not (labels[-1] == LVC).any()
    assert np.allclose(phantom.sax.gaps, SMALL.slice_gap_mm)
    apex, base = (phantom.hearts[ED].to_body(w) for w in (phantom.hearts[ED].apex, np.zeros(3)))
    assert (base - apex) @ phantom.sax.normal > 50


def test_lax_labels_are_the_truth_on_their_planes(phantom):
    grid = phantom.heart_grid(1.5)
    truth = phantom.truth(grid, ES)
    for name, stack in phantom.lax.items():
        sampled = grid.sample(truth, stack.plane(0).points(), order=0).astype(np.uint8)
        labels = phantom.lax_labels[name][ES, 0]
        heart = (sampled > 0) | (labels > 0)
        assert heart.sum() > 300
        assert (sampled == labels)[heart].mean() > 0.95
        assert (labels == LVC).any()
        assert (labels == LVM).any()
    assert (phantom.lax_labels["4ch"] == RVC).sum() > (phantom.lax_labels["2ch"] == RVC).sum()


def test_sax_and_lax_agree_where_they_meet(phantom):
    """Labels and images of the two orientations are of the same heart, at the same place."""
    for index in range(len(phantom.sax.origins)):
        sax = phantom.sax.plane(index)
        if (phantom.sax_labels[ED, index] == LVC).sum() < 40:
            continue
        lax = phantom.lax["4ch"].plane(0)
        direction = np.cross(sax.normal, lax.normal)
        rows = np.stack([sax.normal, lax.normal, direction])
        start = np.linalg.solve(
            rows, [sax.normal @ sax.centre, lax.normal @ lax.centre, direction @ lax.centre]
        )
        line = start + np.linspace(-80, 80, 161)[:, None] * direction / np.linalg.norm(direction)

        def on(plane, image, order, line=line):
            offset = line - plane.origin
            columns, rows = offset @ plane.step_x, offset @ plane.step_y
            place = [rows / (plane.step_y @ plane.step_y), columns / (plane.step_x @ plane.step_x)]
            return ndimage.map_coordinates(image, place, order=order)

        ours = on(sax, phantom.sax_labels[ED, index], 0)
        theirs = on(lax, phantom.lax_labels["4ch"][ED, 0], 0)
        assert (ours == theirs).mean() > 0.87
        images = on(sax, phantom.sax.frames[ED, index], 1), on(lax, phantom.lax["4ch"].frames[ED, 0], 1)
        assert np.corrcoef(*images)[0, 1] > 0.97


def test_images_show_what_the_labels_say(phantom):
    image, labels = phantom.sax.frames, phantom.sax_labels
    blood, muscle = np.median(image[labels == LVC]), np.median(image[labels == LVM])
    assert blood > 3.5 * muscle
    assert np.median(image[labels == RVC]) > 3.5 * muscle
    corner = image[:, :, :6, -6:]
    assert corner.mean() < 0.04 * blood
    assert (image >= 0).all()
    assert image.dtype == np.float32


def test_breath_hold_shifts_move_image_and_labels_as_reported(phantom):
    shifted = make_phantom(replace(SMALL, shift_sd_mm=6.0), frames=[0])
    assert not phantom.shifts.any()
    assert shifted.shifts.std() > 2
    x, y = (step / np.linalg.norm(step) for step in (phantom.sax.step_x, phantom.sax.step_y))
    compared = 0
    for index, (before, after) in enumerate(zip(phantom.sax_labels[ED], shifted.sax_labels[0], strict=True)):
        epi_before, epi_after = np.isin(before, (LVC, LVM)), np.isin(after, (LVC, LVM))
        if epi_before.sum() < 200 or epi_after.sum() < 200:
            continue
        rows, columns = np.subtract(ndimage.center_of_mass(epi_after), ndimage.center_of_mass(epi_before))
        expected = [shifted.shifts[index] @ y, shifted.shifts[index] @ x]
        assert np.array([rows, columns]) * SMALL.pixel_mm == pytest.approx(expected, abs=1.2)
        compared += 1
    assert compared >= 4


@pytest.mark.slow
@pytest.mark.parametrize("frame", [ED, ES])
def test_discs_of_the_slices_labels_add_up_to_the_truth(phantom, frame):
    """As far as discs 12 mm apart do: thick slices thin neither the muscle nor the right ventricle."""
    discs = stack_volumes_ml(phantom.sax_labels[frame], phantom.sax.positions, np.prod(phantom.sax.spacing))
    assert list(discs.values()) == pytest.approx(volumes_ml(phantom, frame)[1:], rel=0.05)


def test_same_seed_same_phantom_and_frames_do_not_depend_on_each_other(phantom):
    again = make_phantom(SMALL, frames=[4])
    assert np.array_equal(again.sax.frames[0], phantom.sax.frames[ES])
    assert np.array_equal(again.sax_labels[0], phantom.sax_labels[ES])
    few = replace(SMALL, slice_gap_mm=30.0, lax_matrix=(8, 8))
    first, second = (make_phantom(replace(few, seed=seed), frames=[0]) for seed in (1, 2))
    assert not np.array_equal(first.sax.frames, second.sax.frames)


def test_truth_volume_shows_the_undisplaced_heart(phantom):
    grid = phantom.heart_grid(4.0)
    volume, labels = phantom.truth_volume(grid, ED), phantom.truth(grid, ED)
    assert volume.shape == labels.shape == grid.shape
    inner = ndimage.binary_erosion(labels == LVC)
    muscle = ndimage.binary_erosion(labels == LVM)
    assert np.median(volume[inner]) > 2 * np.median(volume[muscle])
    border = labels.copy()
    border[1:-1, 1:-1, 1:-1] = BACKGROUND
    assert not border.any()


def test_random_configs_span_disease():
    configs = [random_config(seed) for seed in range(200)]
    volumes, fractions = [config.edv_ml for config in configs], [config.ef for config in configs]
    assert min(volumes) < 90
    assert max(volumes) > 300
    assert min(fractions) < 0.25
    assert max(fractions) > 0.66
    assert random_config(7) == random_config(7)
    assert random_config(7, "thin", n_frames=5).n_frames == 5


def test_bad_input_is_refused_in_words():
    with pytest.raises(InputError, match="edv_ml"):
        PhantomConfig(edv_ml=5)
    with pytest.raises(InputError, match="frames 0 to 11"):
        make_phantom(SMALL, frames=[12])
    with pytest.raises(InputError, match="condition"):
        random_config(1, "haunted")
