"""Interpolation of latents (eq. 5 and 6), and along with what moves."""

import math

import pytest
import torch
from dmcvr.model.diffusion.interpolation import lerp, slerp, warp, warp_noise
from hypothesis import given, settings
from hypothesis import strategies as st

RULES = pytest.mark.parametrize("rule", [lerp, slerp])


def latents(seed: int, batch: int = 3, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 1, 6, 5, generator=generator, dtype=torch.float64).to(dtype)


def norms(x: torch.Tensor) -> torch.Tensor:
    return x.double().flatten(1).norm(dim=1)


@RULES
def test_the_ends_come_back_exactly(rule):
    a, b = latents(0), latents(1)
    assert torch.equal(rule(a, b, torch.zeros(3)), a)
    assert torch.equal(rule(a, b, torch.ones(3)), b)


@RULES
@given(t=st.floats(0, 1), scale=st.sampled_from([1e-6, 1.0, 1e4]), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_equal_ends_come_back_exactly(rule, t, scale, seed):
    a = latents(seed) * scale
    assert torch.equal(rule(a, a.clone(), torch.full((3,), t, dtype=torch.float64)), a)


@RULES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_precision_stay_whatever_those_of_t(rule, dtype):
    result = rule(
        latents(0, dtype=dtype), latents(1, dtype=dtype), torch.full((3,), 0.3, dtype=torch.float64)
    )
    assert result.shape == (3, 1, 6, 5)
    assert result.dtype == dtype


def test_lerp_is_the_straight_line_of_each_sample():
    a, b = latents(0), latents(1)
    t = torch.tensor([0.0, 0.25, 0.8])
    for got, x, y, share in zip(lerp(a, b, t), a, b, t, strict=True):
        torch.testing.assert_close(got, (1 - share) * x + share * y)


def test_slerp_of_a_right_angle_is_the_circle():
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    for t in (0.1, 0.5, 0.7):
        want = torch.tensor([[2 * math.cos(t * math.pi / 2), 2 * math.sin(t * math.pi / 2)]])
        torch.testing.assert_close(slerp(a, b, torch.tensor([t])), want)


def test_slerp_takes_each_samples_own_angle_and_fraction():
    a, b = (
        latents(0),
        torch.stack([latents(1)[0], -0.3 * latents(0)[1] + latents(2)[1], latents(0)[2] * 1.01]),
    )
    t = torch.tensor([0.2, 0.5, 0.9])
    together = slerp(a, b, t)
    for index in range(3):
        alone = slerp(a[index : index + 1], b[index : index + 1], t[index : index + 1])
        torch.testing.assert_close(together[index : index + 1], alone)


@given(seed=st.integers(0, 10_000), t=st.floats(0, 1), closeness=st.sampled_from([0, 0.5, 0.999, 1 - 1e-7]))
@settings(max_examples=60, deadline=None)
def test_slerp_of_equally_long_ends_keeps_the_length_and_turns_evenly(seed, t, closeness):
    a, other = latents(seed, dtype=torch.float64), latents(seed + 1, dtype=torch.float64)
    b = closeness * a + (1 - closeness) * other
    b = b * (norms(a) / norms(b)).view(3, 1, 1, 1)
    middle = slerp(a, b, torch.full((3,), t, dtype=torch.float64))
    torch.testing.assert_close(norms(middle), norms(a), rtol=1e-6, atol=0)

    def angle(x, y):
        # Well conditioned near 0, unlike the arc cosine.
        x, y = x.flatten(1) / norms(x)[:, None], y.flatten(1) / norms(y)[:, None]
        return 2 * torch.atan2((x - y).norm(dim=1), (x + y).norm(dim=1))

    torch.testing.assert_close(angle(a, middle), t * angle(a, b), rtol=1e-3, atol=1e-7)


@given(seed=st.integers(0, 10_000), t=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_slerp_read_backwards_is_the_same_path(seed, t):
    a, b = latents(seed, dtype=torch.float64), 2 * latents(seed + 1, dtype=torch.float64)
    t = torch.full((3,), t, dtype=torch.float64)
    torch.testing.assert_close(slerp(a, b, t), slerp(b, a, 1 - t))


def test_slerp_keeps_the_spread_of_noise_that_lerp_loses():
    a, b = torch.randn(2, 1, 1, 64, 64, generator=torch.Generator().manual_seed(0)).unbind(0)
    half = torch.tensor([0.5])
    assert float(slerp(a, b, half).std()) == pytest.approx(1, abs=0.03)
    assert float(lerp(a, b, half).std()) == pytest.approx(0.5**0.5, abs=0.03)


@pytest.mark.parametrize("factor", [2.0, -1.0, -3.0])
def test_slerp_of_parallel_and_opposite_ends_is_the_straight_line(factor):
    a = latents(0)
    t = torch.tensor([0.0, 0.4, 1.0])
    result = slerp(a, factor * a, t)
    torch.testing.assert_close(result, lerp(a, factor * a, t))


def test_slerp_with_an_empty_end_is_finite():
    a = latents(0)
    result = slerp(a, torch.zeros_like(a), torch.full((3,), 0.5))
    assert result.isfinite().all()


class TestWarp:
    def test_nothing_moves_where_there_is_no_displacement(self):
        a = latents(0)
        torch.testing.assert_close(warp(a, torch.zeros(3, 2, 6, 5)), a)
        torch.testing.assert_close(warp_noise(a, torch.zeros(3, 2, 6, 5)), a)

    def test_each_pixel_takes_what_lies_at_its_displaced_place_and_edges_are_repeated(self):
        a, displacement = latents(0), torch.zeros(3, 2, 6, 5)
        displacement[:, 0], displacement[:, 1] = 1, -2
        moved = warp(a, displacement)
        torch.testing.assert_close(moved[:, :, :-1, 2:], a[:, :, 1:, :-2])
        torch.testing.assert_close(moved[:, :, -1, 2:], a[:, :, -1, :-2])
        torch.testing.assert_close(moved[:, :, :-1, 0], a[:, :, 1:, 0])

    def test_between_pixels_a_smooth_image_is_interpolated(self):
        x = torch.linspace(0, 3, 40)
        image = (x.sin()[:, None] * x.cos()).expand(1, 1, 40, 40)
        moved = warp(image, torch.full((1, 2, 40, 40), 0.5))
        y = x + 0.5 * 3 / 39
        expected = (y.sin()[:, None] * y.cos()).expand(1, 1, 40, 40)
        torch.testing.assert_close(moved[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], atol=1e-3, rtol=0)

    def test_between_pixels_noise_keeps_its_spread(self):
        noise = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        noise[1] *= 0.3
        half = torch.full((2, 2, 64, 64), 0.5)
        for index, spread in enumerate((1.0, 0.3)):
            assert warp(noise, half)[index].std() < 0.8 * spread
            assert float(warp_noise(noise, half)[index].std()) == pytest.approx(spread, rel=0.05)

    def test_no_noise_stays_none(self):
        assert not warp_noise(torch.zeros(1, 1, 8, 8), torch.full((1, 2, 8, 8), 0.5)).any()
