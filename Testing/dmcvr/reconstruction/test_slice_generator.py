from dataclasses import replace

import numpy as np
import pytest
import torch
from dmcvr.alignment.correspondence import align, displacements
from dmcvr.anatomy.distance_interpolation import interpolate_distances
from dmcvr.anatomy.signed_distances import WHOLE_MM, nested_distances
from dmcvr.core.positions import bracket
from dmcvr.core.progress import no_progress
from dmcvr.model.inference import Model
from dmcvr.reconstruction.heart_window import find_heart
from dmcvr.reconstruction.latents import AcquiredSlices, TargetSlices, invert_slices
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.slice_generator import generate_slices, sample_spread

RULES = {
    "aligned": Options(steps=2),
    "paper": Options(steps=2, rule="paper"),
    "diffae": Options(method="diffae", steps=2),
    "ddim": Options(steps=2, order=1),
}


class Neighbours:
    """Two neighbouring slices in the model's window, and what lies between them."""

    def __init__(self, images, positions, maps, field):
        self.images, self.field, self.own = images, field, maps
        self.acquired = AcquiredSlices(images[None], positions, maps[None])

    def wanted(self, *places):
        """The ``places`` in mm."""
        positions = self.acquired.positions
        _, _, fractions = bracket(positions, np.array(places))
        maps = interpolate_distances(self.own, positions, np.array(places), None)
        fields = np.stack(displacements(np.stack([self.field] * len(places)), fractions))[:, None]
        return TargetSlices(np.array(places), maps[None], fields.astype(np.float32))


@pytest.fixture(scope="module")
def heart_slices(model, heart):
    stack = heart[0].select(slices=slice(1, 3))
    native = [stack.plane(index) for index in range(2)]
    window = find_heart(model, stack.frames[0], native)
    images = window.images(stack.frames[0], native)
    pixel = (window.spacing, window.spacing)
    labels = model.segment(images)[0].argmax(1).numpy()
    return Neighbours(
        images, stack.positions, nested_distances(labels, pixel, WHOLE_MM), align(*images, pixel).field
    )


def generated(model, acquired, targets, options, progress=no_progress):
    """(F, Z, size, size)"""
    return generate_slices(
        model, invert_slices(model, acquired, options, progress), targets, options, progress
    )


def made(model, neighbours, options, *places):
    """(Z, size, size)"""
    return generated(model, neighbours.acquired, neighbours.wanted(*places), options)[0]


@pytest.mark.parametrize("name", RULES)
def test_slices_are_images_between_their_neighbours(model, heart_slices, name):
    calls = []
    wanted = heart_slices.wanted(2.0, 5.0)
    images = generated(model, heart_slices.acquired, wanted, RULES[name], lambda *call: calls.append(call))
    assert (images.shape, images.dtype) == ((1, 2, model.size, model.size), np.float32)
    assert images.min() >= 0
    assert images.max() <= 1
    assert calls == [("invert", 2, 2), ("generate", 2, 2)]


def test_without_the_morphology_code_no_distances_are_needed(model, heart_slices):
    bare = replace(heart_slices.acquired, maps=None), TargetSlices(np.array([5.0]))
    image = generated(model, *bare, RULES["diffae"])
    np.testing.assert_array_equal(image[0], made(model, heart_slices, RULES["diffae"], 5.0))


def test_the_morphology_code_matters(model, heart_slices):
    images = [made(model, heart_slices, RULES[name], 5.0) for name in ("paper", "diffae")]
    assert np.abs(images[0] - images[1]).max() > 1e-3


def test_the_same_twice_gives_the_same(model, heart_slices):
    images = [made(model, heart_slices, RULES["aligned"], 5.0) for _ in range(2)]
    np.testing.assert_array_equal(*images)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["aligned", "paper"])
def test_a_slice_generated_in_its_own_place_comes_back(model, heart_slices, rule):
    """Inversion and generation undo each other; what is lost is the sampler's error at these few steps."""
    options, images = Options(steps=8, rule=rule), heart_slices.images
    image = made(model, heart_slices, options, heart_slices.acquired.positions[0])[0]
    error = np.sqrt(np.mean((image - images[0]) ** 2))
    apart = np.sqrt(np.mean((images[1] - images[0]) ** 2))
    assert error < 0.25 * apart


@pytest.fixture(scope="module")
def moving(model):
    """A bright disc that moves by 12 pixels from one slice to the next, and its displacements."""
    y, x = np.mgrid[: model.size, : model.size] - model.size / 2
    images = [0.2 + 0.6 / (1 + np.exp(np.hypot(y - shift, x) - 20)) for shift in (-6, 6)]
    field = np.zeros((2, model.size, model.size))
    field[0] = 12.0
    images = np.stack(images).astype(np.float32)
    nothing = np.full((2, 3, model.size, model.size), -WHOLE_MM, np.float32)
    return Neighbours(images, np.array([0.0, 10.0]), nothing, field)


def middle_row(image):
    """Of what is bright in an image, the mean row."""
    return np.average(np.arange(len(image)), weights=(image > 0.5).sum(1))


@pytest.mark.slow
def test_the_aligned_rule_moves_along_the_displacements_what_the_papers_shows_twice(model, moving):
    images = made(model, moving, Options(), 2.5, 5.0)
    for image, row in zip(images, model.size / 2 + np.array([-3, 0]), strict=True):
        assert middle_row(image) == pytest.approx(row, abs=1)
        assert (image > 0.5).sum() == pytest.approx((moving.images[0] > 0.5).sum(), rel=0.1)
    ghost = made(model, moving, Options(rule="paper"), 5.0)[0]
    assert np.abs(ghost - images[1]).max() > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["aligned", "paper"])
def test_frames_done_together_are_those_done_one_by_one(model, heart_slices, moving, rule):
    """Batches of four, so that one holds slices of both frames."""
    heart = heart_slices.wanted(2.0, 4.0, 6.0)
    discs = Neighbours(moving.images, heart_slices.acquired.positions, moving.own, moving.field)
    both = AcquiredSlices(
        np.concatenate([heart_slices.acquired.images, discs.acquired.images]),
        discs.acquired.positions,
        np.concatenate([heart_slices.acquired.maps, discs.acquired.maps]),
    )
    other = discs.wanted(2.0, 4.0, 6.0)
    wanted = TargetSlices(
        heart.positions,
        np.concatenate([heart.maps, other.maps]),
        np.concatenate([heart.displacements, other.displacements], 1),
    )
    batches = Model.load(device="cpu", precision="float32")
    batches.batch = 4
    together = generated(batches, both, wanted, RULES[rule])
    for images, one in zip(together, (heart_slices, discs), strict=True):
        np.testing.assert_allclose(images, made(model, one, RULES[rule], 2.0, 4.0, 6.0), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["aligned", "paper"])
def test_bfloat16_changes_generated_slices_little(heart_slices, rule):
    """In intensities from 0 to 1: 0.5 % on average, 5 % in no pixel."""
    images = [
        made(Model.load(None, "cpu", precision), heart_slices, Options(rule=rule), 5.0)
        for precision in ("float32", "bfloat16")
    ]
    difference = images[0] - images[1]
    assert 0 < np.sqrt(np.mean(difference**2)) < 0.005
    assert np.abs(difference).max() < 0.05


SPREAD_AT = 0.0, 1.0, 5.0


def drawn(model, latents, neighbours, rule, samples, seed):
    """The spread (3, size, size) of plausible slices at the first neighbour, beside it and half-way."""
    options = replace(RULES[rule], samples=samples)
    generator = torch.Generator().manual_seed(seed)
    return sample_spread(model, latents, neighbours.wanted(*SPREAD_AT), options, generator)[0]


@pytest.fixture(scope="module")
def latents(model, heart_slices):
    return invert_slices(model, heart_slices.acquired, RULES["aligned"])


@pytest.fixture(scope="module")
def spread(model, latents, heart_slices):
    return drawn(model, latents, heart_slices, "aligned", 4, seed=0)


def test_the_spread_is_nothing_at_an_acquired_slice_and_grows_with_the_distance(spread, model):
    assert (spread.shape, spread.dtype) == ((3, model.size, model.size), np.float32)
    assert not spread[0].any()
    assert 0 < spread[1].mean() < spread[2].mean()


def test_the_spread_is_largest_where_the_neighbours_differ(spread, heart_slices):
    apart = np.abs(heart_slices.images[1] - heart_slices.images[0])
    high = apart > np.percentile(apart, 95)
    assert spread[2][high].mean() > 2 * spread[2][~high].mean()


@pytest.mark.slow
def test_the_spread_follows_the_seed(model, latents, heart_slices, spread):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    again = drawn(model, latents, heart_slices, "aligned", 4, seed=0)
    np.testing.assert_array_equal(again, spread)
    other = drawn(model, latents, heart_slices, "aligned", 4, seed=1)
    assert (other[2] != spread[2]).mean() > 0.5
    assert torch.equal(torch.get_rng_state(), before)  # the process's own numbers are left alone


@pytest.mark.slow
def test_the_spread_of_a_slice_depends_not_on_its_batch(model, latents, heart_slices, spread, monkeypatch):
    monkeypatch.setattr(model, "batch", 2)
    again = drawn(model, latents, heart_slices, "aligned", 4, seed=0)
    np.testing.assert_allclose(again, spread, atol=1e-3)


@pytest.mark.slow
def test_by_the_papers_rule_the_spread_is_that_of_the_noise(model, heart_slices):
    latents = invert_slices(model, heart_slices.acquired, RULES["paper"])
    spread = drawn(model, latents, heart_slices, "paper", 2, seed=0)
    assert not spread[0].any()
    assert spread[2].mean() > 0
