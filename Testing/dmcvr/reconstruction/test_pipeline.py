from dataclasses import replace

import dmcvr
import numpy as np
import pytest
import torch
from dmcvr.baselines import BASELINES
from dmcvr.cli.arguments.shared import ALL_METHODS as CLI_METHODS
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import unit
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.positions import bracket
from dmcvr.core.stack import Stack
from dmcvr.evaluation.metrics import dice
from dmcvr.model.inference import Model
from dmcvr.reconstruction.options import METHODS, Options
from dmcvr.reconstruction.pipeline import reconstruct


@pytest.fixture(scope="module")
def results(model, heart):
    """The four slices by every method, with one slice generated in every gap, and the progress told."""
    out = {}
    for method in METHODS:
        told = []
        options = Options(method=method, spacing=5, steps=1)
        out[method] = reconstruct(heart[0], model, options, lambda *item, told=told: told.append(item)), told
    return out


def test_the_command_line_offers_every_method():
    assert set(CLI_METHODS) == {*METHODS, "deeprecon"}


@pytest.mark.parametrize("method", METHODS)
def test_acquired_slices_keep_their_voxels_and_labels(results, heart, method):
    result, _ = results[method]
    # What completes the shape draws the heart half a gap beyond the end slices.
    beyond = (None,) if method == "dmcvr" else ()
    assert result.acquired == (*beyond, 0, None, 1, None, 2, None, 3, *beyond)
    assert result.volume.shape == result.labels.shape == (1, *result.grid.shape)
    assert (result.volume.dtype, result.labels.dtype) == (np.float32, np.uint8)
    acquired = slice(len(beyond), len(beyond) + 7, 2)
    np.testing.assert_array_equal(result.volume[:, acquired], heart[0].frames)
    if method == "dmcvr":  # one surface, of which the slices are a part
        for label in (LVC, LVM, RVC):
            assert dice(result.labels[:, acquired] == label, result.stack_labels == label) > 0.93
    else:
        np.testing.assert_array_equal(result.labels[:, acquired], result.stack_labels)


@pytest.mark.parametrize("method", METHODS)
def test_the_volume_is_finite_and_labelled_in_the_projects_order(results, method):
    result, _ = results[method]
    assert np.isfinite(result.volume).all()
    assert set(np.unique(result.labels)) == {0, LVC, LVM, RVC}
    for z in range(1, result.grid.shape[0], 2):
        assert (result.labels[0, z] == LVC).any()
        assert result.volume[0, z].std() > 0.7 * result.volume[0, 0].std()


@pytest.mark.parametrize("method", METHODS)
def test_progress_grows_and_ends_at_the_total(results, method):
    _, told = results[method]
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["segment", *(["align", "invert"] if method not in BASELINES else []), "generate"]
    for stage in stages:
        counts = [(done, total) for name, done, total in told if name == stage]
        assert [done for done, _ in counts] == sorted({done for done, _ in counts})
        assert len({total for _, total in counts}) == 1
        assert counts[-1][0] == counts[-1][1]


def test_the_grid_is_the_stacks_own(results, heart):
    grid, stack = results["dmcvr"][0].grid, heart[0]
    assert grid.shape[1:] == stack.frames.shape[2:]
    np.testing.assert_allclose(grid.spacing, (*stack.spacing, 5.0))
    for z, index in enumerate(results["dmcvr"][0].acquired):
        if index is not None:
            np.testing.assert_allclose(grid.plane(z).origin, stack.origins[index], atol=1e-6)


def test_the_default_spacing_is_near_the_pixels(heart):
    stack, labels = heart
    result = reconstruct(stack, None, Options(method="shape"), labels=labels)
    assert result.grid.spacing[2] == pytest.approx(10 / round(10 / stack.spacing[0]))


@pytest.mark.slow
def test_the_same_seed_gives_the_same(model, heart, results):
    again = reconstruct(heart[0], model, Options(spacing=5, steps=1))
    np.testing.assert_array_equal(again.volume, results["dmcvr"][0].volume)
    np.testing.assert_array_equal(again.labels, results["dmcvr"][0].labels)


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"seed": 1}, {"threads": 2}])
def test_neither_seed_nor_threads_change_a_reconstruction(model, heart, results, change):
    """Nothing is drawn but samples of the uncertainty; sums over threads may round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(change.get("threads", before))
    try:
        again = reconstruct(heart[0], model, Options(spacing=5, steps=1, seed=change.get("seed", 0)))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(again.labels, results["dmcvr"][0].labels)
    np.testing.assert_allclose(again.volume, results["dmcvr"][0].volume, atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["image", "fused"])
def test_labels_of_generated_slices_may_come_from_the_image(model, heart, results, rule):
    shape = results["dmcvr"][0]
    found = reconstruct(heart[0], model, Options(spacing=5, steps=1, label_rule=rule))
    np.testing.assert_array_equal(found.volume, shape.volume)
    for z, index in enumerate(shape.acquired):
        same = (found.labels[0, z] == shape.labels[0, z]).all()
        assert same == (index is not None or not 0 <= z - shape.acquired.index(0) <= 6)
        # Two ways to the same heart: they differ along its outlines only.
        overlap = ((found.labels[0, z] > 0) & (shape.labels[0, z] > 0)).sum()
        assert overlap >= 0.92 * max((found.labels[0, z] > 0).sum(), (shape.labels[0, z] > 0).sum())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "spacing"), [*((method, 5.0) for method in METHODS), *((method, 2.5) for method in BASELINES)]
)
def test_structures_end_where_the_evidence_ends(model, phantom, method, spacing):
    diffusion = method in ("dmcvr", "diffae")
    # From the apex into the ventricles: slices with and without each structure.
    inner = slice(1, 4) if diffusion else slice(0, 13)
    stack, labels = phantom.sax.select(slices=inner), phantom.sax_labels[:, inner]
    options = Options(method=method, spacing=spacing, steps=1)
    result = reconstruct(stack, model if diffusion else None, options, labels=labels)
    # Beyond the stack the shape is extrapolated.
    ends = [z for z, index in enumerate(result.acquired) if index is not None]
    within = slice(ends[0], ends[-1] + 1)
    places = np.arange(ends[-1] + 1 - ends[0]) * result.grid.spacing[2]
    below, above, t = bracket(stack.positions, np.minimum(places, stack.positions[-1]))
    checked = 0
    for label in (LVC, LVM, RVC):
        shown = (labels[0] == label).any((1, 2))
        gone = ~shown[below] & ~shown[above]
        if method != "bspline":  # a spline hears of slices farther away
            gone |= (t < 0.49) & ~shown[below] | (t > 0.51) & ~shown[above]
        assert not (result.labels[0, within][gone] == label).any()
        checked += gone.sum()
    assert checked > 0


@pytest.mark.slow
def test_segmenting_finds_the_heart_and_so_does_the_reconstruction(model, phantom):
    result = reconstruct(phantom.sax, model, Options(method="shape", spacing=5))
    truth = phantom.truth(result.grid, 0)
    for label, least in {LVC: 0.94, LVM: 0.855, RVC: 0.87}.items():  # LVM: .861
        assert dice(result.labels[0] == label, truth == label) > least
    assert result.volumes[0]["LVC"] == pytest.approx((result.labels == LVC).sum() * result.grid.voxel_ml)


def test_given_labels_are_used_instead_of_segmenting(model, heart):
    stack, labels = heart
    told = []
    options = Options(spacing=5, steps=1)
    result = reconstruct(stack, model, options, lambda *item: told.append(item), labels)
    assert {stage for stage, _, _ in told} == {"align", "invert", "generate"}
    np.testing.assert_array_equal(result.stack_labels, labels)
    # What was learned bends the shapes between the slices a little.
    expected = reconstruct(stack, None, replace(options, method="shape"), labels=labels)
    assert 0 < (result.labels[:, 1:-1] != expected.labels).mean() < 0.004


def test_regenerating_changes_the_acquired_slices_but_keeps_what_lies_around(model, heart):
    stack, labels = heart[0].select(slices=slice(0, 2)), heart[1][:, :2]
    options = Options(spacing=10, steps=1, keep_acquired=False)
    result = reconstruct(stack, model, options, labels=labels)
    assert result.volume.shape == stack.frames.shape
    changed = np.abs(result.volume - stack.frames).max((0, 1)) > 1e-3
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    middle = np.argwhere(labels[0] > 0)[:, 1:].mean(0)
    assert rows[0] < middle[0] < rows[-1]
    assert columns[0] < middle[1] < columns[-1]
    assert np.ptp(rows) * stack.spacing[1] <= model.size * model.preset.spacing_mm
    kept = reconstruct(stack, model, replace(options, keep_acquired=True), labels=labels)
    np.testing.assert_array_equal(kept.volume, stack.frames)


@pytest.mark.slow
def test_uncertainty_is_sampled_where_slices_are_generated_and_changes_nothing_else(model, heart, results):
    plain = results["dmcvr"][0]
    assert plain.uncertainty is None
    told = []
    options = Options(spacing=5, steps=1, samples=2)
    found = reconstruct(heart[0], model, options, lambda *item: told.append(item))
    np.testing.assert_array_equal(found.volume, plain.volume)
    np.testing.assert_array_equal(found.labels, plain.labels)
    assert found.uncertainty.shape == found.volume.shape
    first = found.acquired.index(0)
    for z, index in enumerate(found.acquired):
        assert found.uncertainty[0, z].any() == (index is None)
    assert not found.uncertainty[0, :, 0].any()
    # Beyond the stack it grows with the distance from the last slice.
    window = found.uncertainty[0].mean((1, 2))
    last = max(z for z, index in enumerate(found.acquired) if index is not None)
    assert window[last + 1] > window[last - 1] > 0
    heart_there = found.uncertainty[0, first + 1][found.labels[0, first + 1] > 0]
    assert 0 < heart_there.mean() < heart[0].frames.max()
    generated = sum(index is None for index in found.acquired)
    assert told[-1] == ("sample", generated, generated)


@pytest.mark.slow
def test_frames_that_fill_a_batch_together_are_those_done_one_by_one(cine):
    """Segmented, generated and sampled, with progress told over all of them."""
    stack = cine.sax.select(frames=[0, 1], slices=slice(4, 8))
    options = Options(frame="all", spacing=5, samples=2, steps=1)
    results, told = [], []
    for batch in (1, 100):
        model = Model.load(device="cpu", precision="float32")
        model.batch = batch
        told.append([])
        results.append(reconstruct(stack, model, options, lambda *item: told[-1].append(item)))
    one_by_one, together = results
    np.testing.assert_array_equal(together.labels, one_by_one.labels)
    np.testing.assert_allclose(together.volume, one_by_one.volume, atol=0.05)
    assert together.uncertainty.any((1, 2, 3)).all()
    count = 2 * sum(index is None for index in together.acquired)
    assert told[1] == [
        ("segment", 8, 8),
        *(("align", gap, 6) for gap in range(1, 7)),
        ("invert", 8, 8),
        ("generate", count, count),
        ("sample", count, count),
    ]
    assert told[0][-1] == ("sample", count, count)


def displaced(stack, pixels):
    """The same heart in slices whose fields of view are shifted by ``pixels`` (S, 2) [row, column]."""
    frames = np.stack(
        [np.roll(stack.frames[:, s], tuple(-shift), (1, 2)) for s, shift in enumerate(pixels)], axis=1
    )
    offsets = pixels[:, :1] * stack.step_y + pixels[:, 1:] * stack.step_x
    return replace(stack, frames=frames, origins=stack.origins + offsets)


def test_displaced_slices_and_their_labels_are_put_in_place(heart):
    stack, labels = heart
    shifts = np.array([[0, 0], [3, -2], [0, 4], [-5, 0]])
    moved = displaced(stack, shifts)
    moved_labels = displaced(replace(stack, frames=labels), shifts).frames
    options = Options(method="shape", spacing=5)
    result = reconstruct(moved, None, options, labels=moved_labels)
    straight = reconstruct(stack, None, options, labels=labels)
    inner = (..., slice(8, -8), slice(8, -8))  # what rolled out of the image is lost
    np.testing.assert_allclose(result.volume[inner], straight.volume[inner], rtol=1e-4)
    np.testing.assert_array_equal(result.labels[inner], straight.labels[inner])
    assert any("displaces" in warning for warning in result.warnings)
    assert not straight.warnings


def test_wide_gaps_missed_slices_and_irregular_places_are_told():
    size = 24
    rows, columns = np.indices((size, size)) - size // 2
    labels = np.broadcast_to(np.where(rows**2 + columns**2 < 49, LVC, 0), (1, 5, size, size)).astype(np.uint8)
    labels = labels.copy()
    labels[0, 2] = 0
    positions = np.array([0, 7.3, 15.1, 24.4, 42.0])
    normal = unit([1, 2, 2.0])
    x = unit(np.cross([0, 1.0, 0], normal))
    stack = Stack(
        np.random.default_rng(0).uniform(1, 2, labels.shape).astype(np.float32),
        positions[:, None] * normal,
        x,
        np.cross(normal, x),
    )
    result = reconstruct(stack, None, Options(method="linear", spacing=3), labels=labels)
    text = " ".join(result.warnings)
    assert "17.6 mm apart" in text
    assert "LVC was not found in slice 3" in text
    assert "irregular" in text
    assert result.grid.shape[0] == 15


@pytest.mark.parametrize("spacing", [0, -1, float("nan"), 1000])
def test_a_spacing_that_makes_no_sense_is_refused(heart, spacing):
    with pytest.raises(InputError, match="spacing"):
        reconstruct(heart[0], None, Options(method="linear", spacing=spacing), labels=heart[1])


def test_without_a_model_only_baselines_on_given_labels_run(heart):
    for method, labels in (("dmcvr", heart[1]), ("linear", None)):
        with pytest.raises(ValueError, match="Without a model"):
            reconstruct(heart[0], None, Options(method=method), labels=labels)


def test_an_exception_in_progress_ends_the_run(model, heart):
    def stop(stage, done, total):
        raise dmcvr.core.errors.CancelledError

    with pytest.raises(dmcvr.core.errors.CancelledError):
        reconstruct(heart[0], model, Options(method="linear"), stop)


def test_the_package_offers_it_as_a_function_again_and_again(heart):
    for _ in range(2):
        result = dmcvr.reconstruct(heart[0], method="linear", spacing=5, labels=heart[1])
    assert result.grid.shape[0] == 7
