"""The optimisation of codes, and its loss."""

import pytest
import torch
from dmcvr.baselines.deeprecon.objective import image_loss, overlap_loss, slice_loss
from dmcvr.baselines.deeprecon.optimisation import code_loss, optimise_codes
from dmcvr.model.diffusion.interpolation import lerp
from dmcvr.model.networks.deeprecon import StyleGenerator
from tinydeeprecon import TINY_DEEPRECON


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return StyleGenerator(TINY_DEEPRECON).requires_grad_(False)


@pytest.fixture(scope="module")
def slices(generator):
    """Slices that the generator can make, their labels, and codes to begin from."""
    torch.manual_seed(1)
    true = torch.randn(3, TINY_DEEPRECON.layers, TINY_DEEPRECON.code)
    images, logits = generator(true)
    return true + 0.5 * torch.randn_like(true), images, logits.argmax(1)


def test_optimisation_lowers_the_loss_of_every_slice(generator, slices):
    start, images, labels = slices
    told = []
    codes = optimise_codes(generator, start, images, labels, 40, told.append)
    before = code_loss(generator, start, start, images, labels)
    after = code_loss(generator, codes, start, images, labels)
    assert (after < 0.5 * before).all()
    assert told == list(range(1, 41))


def test_no_step_leaves_the_encoders_code(generator, slices):
    torch.testing.assert_close(optimise_codes(generator, *slices, 0), slices[0], rtol=0, atol=0)


def test_slices_are_optimised_as_if_alone(generator, slices):
    together = optimise_codes(generator, *slices, 5)
    alone = optimise_codes(generator, *(item[1:2] for item in slices), 5)
    torch.testing.assert_close(alone, together[1:2], atol=1e-3, rtol=1e-3)


def test_the_ends_of_a_straight_line_are_the_codes(generator, slices):
    start = slices[0]
    ends = lerp(start[[0, 0]], start[[1, 1]], torch.tensor([0.0, 1.0]))
    for made, own in zip(generator(ends), generator(start[:2]), strict=True):
        torch.testing.assert_close(made, own, rtol=0, atol=0)


def test_the_loss_of_a_slice_that_is_right_is_nothing():
    torch.manual_seed(0)
    images, labels = torch.rand(2, 1, 8, 8), torch.randint(0, 4, (2, 8, 8))
    logits = 100 * torch.nn.functional.one_hot(labels, 4).movedim(-1, 1).float()
    assert slice_loss(images, logits, images, labels).abs().max() < 1e-5


def test_a_constant_error_has_no_differences():
    images = torch.zeros(1, 1, 4, 4)
    assert float(image_loss(images + 0.25, images)) == pytest.approx(0.25)
    stripes = torch.tensor([0.0, 1.0, 0.0, 1.0]).expand(1, 1, 4, 4)
    assert float(image_loss(stripes, images)) == pytest.approx(0.5 + 1.0)


def test_overlap_is_counted_by_structure():
    labels = torch.zeros(1, 6, 6, dtype=torch.int64)
    labels[0, 1:3, 1:3] = 1
    logits = torch.zeros(1, 4, 6, 6)
    logits[:, 0] = 100
    # The cavity is missed, 1 - 1 / 5; the structures that are not there are rightly not drawn.
    assert float(overlap_loss(logits, labels)) == pytest.approx(0.8 / 3, rel=1e-3)
