"""The model on a device."""

import numpy as np
import pytest
import torch
from dmcvr.core.geometry import sample_plane
from dmcvr.core.intensity import field_scale
from dmcvr.model.batches import as_batch
from dmcvr.model.diffusion.sampler import generate, invert
from dmcvr.model.inference import Codes, Model
from dmcvr.model.morphology import distance_code
from dmcvr.model.networks.presets import COMPACT, PAPER
from dmcvr.model.weights import build
from dmcvr.reconstruction.output_grid import window_plane


@pytest.fixture(scope="module")
def small(tiny) -> Model:
    """Random weights, none of them zero, so that every input matters."""
    torch.manual_seed(0)
    small = Model.untrained(tiny)
    for module in (small.segmenter, small.semantic, small.denoiser):
        for parameter in module.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)
    return small


@pytest.fixture
def images() -> torch.Tensor:
    """(5, 1, 32, 32) in [0, 1]."""
    return torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def codes(small, images) -> Codes:
    maps = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return Codes(small.encode(images * 2 - 1), maps)


def test_segment_gives_probabilities_and_features(small, images):
    finished = []
    probabilities, features = small.segment(images[:, 0].numpy(), done=finished.append)
    assert probabilities.shape == (5, 4, 32, 32)
    assert probabilities.dtype == features.dtype == torch.float32
    assert probabilities.sum(1).numpy() == pytest.approx(1, abs=1e-5)
    assert probabilities.min() >= 0
    side = 32 // small.preset.segmenter.stride
    assert features.shape == (5, small.preset.segmenter.features, side, side)
    assert sum(finished) == 5


def test_results_do_not_depend_on_the_batch(small, images, codes, monkeypatch):
    stack = images[:, 0].numpy()
    together = small.segment(stack), small.encode(images)
    finished = []
    monkeypatch.setattr(small, "batch", 2)
    apart = small.segment(stack, done=finished.append), small.encode(images)
    assert sorted(finished) == [1, 2, 2]
    torch.testing.assert_close(apart, together)
    whole = small.denoise(codes)(images, 0.5)
    first = small.denoise(Codes(codes.semantic[:1], codes.morphology[:1]))(images[:1], 0.5)
    torch.testing.assert_close(first, tuple(item[:1] for item in whole))


class TestBatches:
    def test_every_item_is_in_one_part(self, small, monkeypatch):
        monkeypatch.setattr(small, "batch", 3)
        done = []
        made = small.in_batches(8, lambda part: part, done.append)
        assert made == done == [slice(0, 2), slice(2, 5), slice(5, 8)]

    def test_parts_are_halved_where_memory_does_not_suffice_and_stay_so(self, small, monkeypatch):
        on_card(small, monkeypatch, batch=8)
        done = []

        def run(part):
            if part.stop - part.start > 2:
                raise torch.cuda.OutOfMemoryError
            return part

        made = small.in_batches(5, run, done.append)
        assert made == done == [slice(0, 2), slice(2, 4), slice(4, 5)]
        assert small.batch == 2

    def test_where_not_even_one_item_fits_the_fault_stands(self, small, monkeypatch):
        on_card(small, monkeypatch, batch=4)

        def run(part):
            raise torch.cuda.OutOfMemoryError

        with pytest.raises(torch.cuda.OutOfMemoryError):
            small.in_batches(4, run)


def on_card(model, monkeypatch, batch):
    """Have batches made as on a graphics card, without one."""
    monkeypatch.setattr(model, "device", torch.device("cuda"))
    monkeypatch.setattr(model, "batch", batch)


def test_the_same_input_gives_the_same_bits(small, images, codes):
    assert torch.equal(*(small.segment(images[:, 0].numpy())[0] for _ in range(2)))
    assert torch.equal(small.encode(images), small.encode(images))
    levels = small.schedule.grid(3)
    noise = invert(small.denoise(codes), images, levels)
    assert torch.equal(noise, invert(small.denoise(codes), images, levels))
    assert torch.equal(*(generate(small.denoise(codes), noise, levels[::-1]) for _ in range(2)))


def test_a_slice_is_judged_with_its_two_neighbours_in_view(small, images):
    stack = images[:, 0].numpy()
    whole = small.segment(stack)[0]
    torch.testing.assert_close(small.segment(stack[1:4])[0][1], whole[2])
    assert not torch.allclose(small.segment(stack[2:4])[0][0], whole[2], atol=1e-4)
    by_itself = small.segment(stack, neighbours=False)[0]
    assert not torch.allclose(by_itself[2], whole[2], atol=1e-4)
    torch.testing.assert_close(by_itself[2], small.segment(stack[2:3])[0][0])


def test_views_are_turned_back_before_they_are_averaged(small, images):
    stack = images[:, 0].numpy()
    want = [small.segment(stack)[0]]
    mirrored = np.ascontiguousarray(stack[:, :, ::-1])
    want.append(small.segment(mirrored)[0].flip(-1))
    turned = np.ascontiguousarray(np.rot90(stack, axes=(1, 2)))
    want.append(small.segment(turned)[0].rot90(-1, (-2, -1)))
    torch.testing.assert_close(small.segment(stack, views=3)[0], sum(want) / 3)
    # The features are those of the image as it is.
    torch.testing.assert_close(small.segment(stack, views=3)[1], small.segment(stack)[1])


def test_every_condition_reaches_the_denoiser(small, images, codes):
    x0, epsilon = small.denoise(codes)(images, 0.5)
    assert x0.shape == epsilon.shape == images.shape
    assert x0.dtype == torch.float32
    others = [
        small.denoise(Codes(codes.semantic.flip(0), codes.morphology))(images, 0.5),
        small.denoise(Codes(codes.semantic, codes.morphology.flip(0)))(images, 0.5),
        small.denoise(Codes(codes.semantic, None))(images, 0.5),
    ]
    for other, _ in others:
        assert (other - x0).abs().max() > 1e-4


def test_the_maps_are_convolved_once_for_all_noise_levels(small, images, codes):
    seen = []
    hooks = [
        block.maps.register_forward_hook(lambda layer, *_: seen.append(layer))
        for block in small.denoiser.modules()
        if getattr(block, "maps", None) is not None
    ]
    generate(small.denoise(codes), images, small.schedule.grid(3)[::-1])
    for hook in hooks:
        hook.remove()
    assert len(seen) == len(set(seen)) == len(hooks) > 0


def test_image_and_noise_of_an_answer_fit_the_noisy_image(small, images, codes):
    for lam in (small.schedule.lam_max, 0.0, small.schedule.lam_min):
        x0, epsilon = small.denoise(codes)(images, lam)
        share = torch.sigmoid(torch.tensor(2 * lam))
        torch.testing.assert_close(share.sqrt() * x0 + (1 - share).sqrt() * epsilon, images)


def test_inversion_and_generation_are_each_others_inverse(small, images, codes):
    """Whatever the weights, the ODE run there and back ends where it began, nearer with finer steps."""
    denoise = small.denoise(codes)
    errors = []
    for steps in (10, 40):
        levels = small.schedule.grid(steps)
        back = generate(denoise, invert(denoise, images, levels), levels[::-1])
        errors.append(float((back - images).square().mean().sqrt()))
    assert errors[1] < 0.12 * errors[0]
    assert errors[1] < 0.006


def test_nothing_is_left_to_be_trained(small, images):
    assert not small.segment(images[:, 0].numpy())[0].requires_grad
    for module in (small.segmenter, small.semantic, small.denoiser):
        assert not module.training
        assert not any(parameter.requires_grad for parameter in module.parameters())


def test_the_whole_models_hash_is_that_of_its_parts(tiny):
    networks = build(tiny)
    hashes = [
        Model(tiny, networks, {"sha256": sha256}, "cpu", "float32").sha256
        for sha256 in (
            {"segmenter": "a", "generator": "b"},
            {"generator": "b", "segmenter": "a"},
            {"segmenter": "b", "generator": "a"},
        )
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 64


def test_the_papers_code_is_the_segmenters_bottleneck():
    with torch.device("meta"):
        networks = build(PAPER)
        x = torch.empty(2, 1, 256, 256)
        _, features = networks.segmenter.segment_and_encode(x)
        answer = networks.denoiser(x, torch.empty(2), torch.empty(2, 512), features)
    assert features.shape == (2, 512, 16, 16)
    assert answer.shape == x.shape


@pytest.fixture(scope="module")
def window(heart) -> tuple[torch.Tensor, np.ndarray]:
    """Two of the phantom's slices (2, 1, 128, 128) in [0, 1] at 1.5 mm about its heart, and their labels."""
    stack, labels = heart
    rows, columns = np.argwhere(labels[0, 0] > 0).mean(0)
    images, truth = [], []
    for index in range(2):
        plane = stack.plane(index)
        centre = plane.origin + columns * plane.step_x + rows * plane.step_y
        target = window_plane(plane, centre, 128, 1.5)
        images.append(sample_plane(stack.frames[0, index], plane, target))
        truth.append(sample_plane(labels[0, index], plane, target, order=0))
    images = np.stack(images)
    return as_batch(np.clip(images / field_scale(images), 0, 1)), np.stack(truth)


def test_bfloat16_changes_the_shipped_segmenters_answer_little(model, window):
    stack = window[0][:, 0].numpy()
    exact, _ = model.segment(stack)
    fast, _ = Model.load(device="cpu", precision="bfloat16").segment(stack)
    assert fast.dtype == torch.float32
    assert (fast - exact).abs().max() > 0
    assert (fast - exact).abs().mean() < 2e-4
    assert (fast.argmax(1) == exact.argmax(1)).float().mean() > 0.999
    assert exact.argmax(1).unique().tolist() == [0, 1, 2, 3]


def test_the_shipped_model_is_the_compact_one(model):
    assert model.preset == COMPACT
    assert model.size == 128
    assert model.card["licence"]
    assert len(model.sha256) == 64


@pytest.mark.slow
def test_the_shipped_model_is_nearly_reversible(model, window):
    images = window[0][:1] * 2 - 1
    denoise = model.denoise(Codes(model.encode(images), distance_code(torch.from_numpy(window[1][:1]), 1.5)))
    levels = model.schedule.grid(10)
    noise = invert(denoise, images, levels)
    back = generate(denoise, noise, levels[::-1])
    # It reaches 34.4 dB; a mistake in conditions, schedule or prediction costs far more.
    assert -10 * torch.log10(((back - images) / 2).square().mean()) > 33.5
    assert 0.95 < float(noise.std()) < 1.05
