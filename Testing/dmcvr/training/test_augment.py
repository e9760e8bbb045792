"""Random views."""

from dataclasses import replace

import pytest
import torch
from dmcvr.training.augment import (
    GENERATOR,
    SEGMENTER,
    Augmentation,
    change_intensity,
    gaussian_blur,
    look,
    make_coarse,
    random_view,
    still_view,
    trabeculated,
)

PLAIN = Augmentation(
    jitter_mm=0,
    zoom=1,
    gain=1,
    gamma=1,
    bias=0,
    noise=0,
    blur=0,
    coarse=1,
    rv_size=(1, 1),
    lv_size=(1, 1),
    trabeculae=0,
    slide=0,
)


def blob(count: int = 8, canvas: int = 128) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images (B, 1, C, C) and labels (B, C, C) of an off-centre bar with one thick end, and its centre."""
    labels = torch.zeros(count, canvas, canvas)
    labels[..., 40:50, 60:100] = 2
    labels[..., 34:56, 84:100] = 2
    return labels[:, None] / 2 * 0.8, labels, torch.tensor([[45.0, 80.0]]).expand(count, 2)


def overlap(image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Dice (B,) of the bright part of the images (B, 1, H, W) and of the labels (B, H, W)."""
    bright, inside = image[:, 0] > 0.4, label > 0
    return 2 * (bright & inside).sum((1, 2)) / (bright.sum((1, 2)) + inside.sum((1, 2)))


@pytest.mark.parametrize("step", [0.7, 1.0, 2.0])
def test_labels_follow_images_through_every_turn_mirror_zoom_and_shift(step):
    torch.manual_seed(0)
    geometric = replace(PLAIN, zoom=1.25)
    views, labels = random_view(*blob(24), 96, torch.full((24,), step), 15, geometric)
    assert views.shape == (24, 1, 96, 96)
    assert labels.shape == (24, 96, 96)
    assert set(labels.unique().tolist()) == {0, 2}
    assert overlap(views, labels).min() > 0.98
    # The views do differ from each other, and a label matches no other image as well as its own.
    assert overlap(views, labels.roll(1, 0)).mean() < 0.7


def test_the_area_goes_with_the_square_of_the_step():
    torch.manual_seed(0)
    area = float(blob(1)[1].gt(0).sum())
    for step in (1.0, 2.0):
        _, labels = random_view(*blob(), 96, torch.full((8,), step), 0, PLAIN)
        assert labels.gt(0).sum((1, 2)).numpy() == pytest.approx(area / step**2, rel=0.06)


def test_every_sample_has_its_own_step():
    torch.manual_seed(0)
    step = torch.tensor([1.0, 2.0] * 4)
    _, labels = random_view(*blob(), 96, step, 0, PLAIN)
    areas = labels.gt(0).sum((1, 2))
    assert (areas[::2] > 3 * areas[1::2]).all()


def test_a_coarse_view_does_not_alias():
    """Of a checkerboard of single pixels, whose mean is 1/2, a view of larger pixels shows the mean."""
    torch.manual_seed(0)
    images = (torch.arange(128)[:, None] + torch.arange(128)).remainder(2).float().expand(8, 1, 128, 128)
    centre = torch.tensor([[64.0, 64.0]]).expand(8, 2)
    views, _ = random_view(images, images[:, 0], centre, 24, torch.full((8,), 3.0), 0, PLAIN)
    assert (views - 0.5).abs().max() < 1e-4


def test_without_jitter_the_view_is_about_the_centre():
    torch.manual_seed(0)
    images = torch.zeros(16, 1, 128, 128)
    images[..., 29:32, 69:72] = 1
    views, labels = random_view(
        images, images[:, 0], torch.tensor([[30.0, 70.0]]).expand(16, 2), 65, torch.ones(16), 0, PLAIN
    )
    assert (views[..., 32, 32] > 0.9).all()
    assert (labels[:, 32, 32] == 1).all()


def test_jitter_stays_within_its_bound():
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 128, 128)
    images[..., 62:67, 62:67] = 1
    centre = torch.tensor([[64.0, 64.0]]).expand(200, 2)
    views, _ = random_view(images, images[:, 0], centre, 65, torch.ones(200), 12, PLAIN)
    rows, columns = torch.meshgrid(torch.arange(65.0), torch.arange(65.0), indexing="ij")
    mass = views.sum((2, 3))
    shift = torch.hypot((views * rows).sum((2, 3)) / mass - 32, (views * columns).sum((2, 3)) / mass - 32)
    assert shift.max() <= 12 * 2**0.5 + 0.5
    assert shift.max() > 10
    assert shift.min() < 4


def test_both_mirror_images_and_all_angles_occur():
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 64, 64)
    images[..., 32, 40] = 3  # to the right of the centre
    images[..., 20, 32] = 1  # above it, fainter
    centre = torch.tensor([[32.0, 32.0]]).expand(200, 2)
    views, _ = random_view(images, images[:, 0], centre, 64, torch.ones(200), 0, replace(PLAIN, gamma=1))
    y, x = torch.meshgrid(torch.arange(64.0) - 31.5, torch.arange(64.0) - 31.5, indexing="ij")
    near, far = torch.hypot(x, y) < 10, torch.hypot(x, y) > 10

    def direction(mask):
        part = views[:, 0] * mask
        return torch.atan2((part * y).sum((1, 2)), (part * x).sum((1, 2)))

    right, up = direction(near), direction(far)
    handed = torch.sin(up - right) > 0
    assert 60 < int(handed.sum()) < 140
    assert torch.histc(right, 4, -torch.pi, torch.pi).min() > 25


@pytest.mark.parametrize("augmentation", [SEGMENTER, GENERATOR, replace(SEGMENTER, noise=0.5, bias=1.5)])
def test_values_stay_within_zero_and_one(augmentation):
    torch.manual_seed(0)
    images = torch.rand(16, 1, 64, 64) * 3 - 0.5
    changed = change_intensity(images, augmentation)
    assert changed.isfinite().all()
    assert changed.min() >= 0
    assert changed.max() <= 1


@pytest.mark.slow
def test_an_augmentation_of_nothing_changes_nothing():
    torch.manual_seed(0)
    images = torch.rand(4, 1, 32, 32)
    torch.testing.assert_close(change_intensity(images, PLAIN), images)


@pytest.mark.parametrize(
    "change",
    [{"gain": 1.5}, {"gamma": 1.5}, {"bias": 0.5}, {"noise": 0.1}, {"blur": 1.5}, {"coarse": 4.0}],
    ids=str,
)
def test_each_change_changes_images_by_different_amounts(change):
    torch.manual_seed(0)
    images = torch.rand(8, 1, 32, 32) * 0.4 + 0.1
    difference = (change_intensity(images, replace(PLAIN, **change)) - images).abs().mean((1, 2, 3))
    assert (difference > 1e-3).sum() >= 2
    assert difference.max() > 1.5 * difference.min()


def test_views_are_the_same_for_the_same_seed_only():
    def draw(seed):
        torch.manual_seed(seed)
        return random_view(*blob(), 64, torch.ones(8), 10, SEGMENTER)

    first, again, other = draw(3), draw(3), draw(4)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_blur_of_zero_is_the_identity():
    images = torch.rand(3, 1, 20, 24)
    assert torch.equal(gaussian_blur(images, torch.zeros(3)), images)


def test_each_image_is_blurred_by_its_own_gaussian():
    images = torch.zeros(3, 1, 41, 41)
    images[..., 20, 20] = 1
    sigma = torch.tensor([0.0, 0.8, 1.5])
    blurred = gaussian_blur(images, sigma)
    assert blurred.sum((1, 2, 3)).numpy() == pytest.approx([1, 1, 1], abs=1e-5)
    place = torch.arange(41.0) - 20
    variance = (blurred[:, 0].sum(1) * place**2).sum(1)
    assert variance.sqrt().numpy() == pytest.approx(sigma.numpy(), abs=0.03)


def test_a_blur_keeps_a_flat_image_flat_to_the_border():
    images = torch.full((1, 1, 16, 16), 0.7)
    torch.testing.assert_close(gaussian_blur(images, torch.tensor([1.5])), images)


def test_a_slice_and_its_neighbours_are_seen_from_one_place():
    torch.manual_seed(0)
    images, labels, centres = blob()
    views, _ = random_view(
        images.expand(-1, 3, -1, -1), labels, centres, 64, torch.ones(8), 10, replace(PLAIN, zoom=1.25)
    )
    assert views.shape == (8, 3, 64, 64)
    assert torch.equal(views[:, 0], views[:, 1])
    assert torch.equal(views[:, 2], views[:, 1])


def test_neighbours_slide_within_their_bound_and_the_labelled_slice_does_not():
    torch.manual_seed(0)
    images = torch.zeros(100, 1, 128, 128)
    images[..., 62:67, 62:67] = 1
    centre = torch.tensor([[64.0, 64.0]]).expand(100, 2)
    views, _ = random_view(
        images.expand(-1, 3, -1, -1), images[:, 0], centre, 65, torch.ones(100), 0, replace(PLAIN, slide=3)
    )
    rows, columns = torch.meshgrid(torch.arange(65.0) - 32, torch.arange(65.0) - 32, indexing="ij")
    mass = views.sum((2, 3))
    away = torch.hypot((views * rows).sum((2, 3)) / mass, (views * columns).sum((2, 3)) / mass)
    assert away[:, 1].max() < 0.05
    for side in (0, 2):
        assert 3 < away[:, side].max() <= 3 * 2**0.5 + 0.05
        assert away[:, side].min() < 1


def test_a_slice_that_is_not_there_stays_black():
    torch.manual_seed(0)
    images = torch.rand(6, 3, 32, 32) + 0.1
    images[:, 2] = 0
    changed = change_intensity(images, replace(SEGMENTER, noise=0.5))
    assert (changed[:, 2] == 0).all()
    assert (changed[:, :2].amax((2, 3)) > 0).all()


def test_coarse_pixels_keep_what_is_smooth_and_lose_what_is_fine():
    torch.manual_seed(0)
    x = torch.arange(96.0)
    smooth = (0.5 + 0.4 * torch.sin(x / 12)).expand(60, 1, 96, 96)
    fine = (0.5 + 0.4 * torch.sin(x * 2)).expand(60, 1, 96, 96)
    kept = (make_coarse(smooth, 3.0) - smooth)[..., 8:-8, 8:-8].abs().amax((1, 2, 3))
    left = make_coarse(fine, 3.0)[..., 8:-8, 8:-8].std((1, 2, 3)) / fine.std()
    assert kept.max() < 0.05
    assert left.min() < 0.3
    # Two thirds of the images stay as they are.
    assert 0.5 < float((kept == 0).float().mean()) < 0.85


def test_a_still_view_shows_the_place_as_it_is():
    images, labels, _ = blob(2)
    centres = torch.tensor([[63.5, 63.5], [45.0, 80.0]])
    views, view_labels = still_view(images, labels, centres, 32, torch.ones(2))
    torch.testing.assert_close(views[0], images[0][:, 48:80, 48:80], atol=1e-5, rtol=0)
    assert torch.equal(view_labels[0], labels[0][48:80, 48:80])
    assert view_labels[1][16, 16] == 2


def ventricles() -> torch.Tensor:
    """Labels (1, 128, 128) of two round cavities side by side."""
    rows, columns = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    labels = torch.zeros(1, 128, 128)
    labels[:, torch.hypot(rows - 64, columns - 50) < 14] = 3
    labels[:, torch.hypot(rows - 64, columns - 84) < 12] = 1
    return labels


@pytest.mark.parametrize("change", [1.8, 0.6])
def test_a_ventricle_grows_or_shrinks_in_its_place_and_its_image_with_it(change):
    labels = ventricles()
    images, centre = labels[:, None] / 3, torch.tensor([[63.5, 63.5]])
    sizes = {(3,): torch.tensor([change]), (1, 2): torch.tensor([1.0])}
    views, seen = look(images, labels, [centre], torch.eye(2)[None], 128, torch.ones(1), sizes)
    assert overlap(views * (views > 0.5), (seen == 3).float()) > 0.95
    area, before = ((item == 3).sum() for item in (seen, labels))
    # The middle grows by the whole factor along each axis, the rim by less.
    low, high = sorted([1.0, change**2])
    assert low < area / before < high
    assert abs(area / before - 1) > 0.3
    for item in (seen, labels):
        place = (item == 3).nonzero().float().mean(0)
        assert (place[1:] - torch.tensor([64.0, 50.0])).abs().max() < 1
    # The other ventricle is pushed, not lost.
    assert 0.7 < (seen == 1).sum() / (labels == 1).sum() < 1.4


def test_without_a_ventricle_nothing_grows():
    images, labels, centres = blob(2)
    sizes = {(3,): torch.tensor([2.0, 0.5])}
    views, seen = look(images, labels, [centres], torch.eye(2).expand(2, 2, 2), 64, torch.ones(2), sizes)
    still, still_labels = still_view(images, labels, centres, 64, torch.ones(2))
    torch.testing.assert_close(views, still)
    assert torch.equal(seen, still_labels)


def test_a_large_and_a_small_ventricle_side_by_side_fold_nothing():
    """Where an image of its own columns falls from one column to the next, the view has turned back."""
    labels, centre = ventricles(), torch.tensor([[63.5, 63.5]])
    columns = (torch.arange(128.0) / 128).expand(1, 1, 128, 128)
    sizes = {(3,): torch.tensor([SEGMENTER.rv_size[1]]), (1, 2): torch.tensor([SEGMENTER.lv_size[0]])}
    views, seen = look(columns, labels, [centre], torch.eye(2)[None], 128, torch.ones(1), sizes)
    assert (seen == 3).sum() > 1.5 * (labels == 3).sum()
    assert (seen == 1).sum() < 0.5 * (labels == 1).sum()
    assert views[0, 0, 10:-10, 10:-10].diff(dim=1).min() > 0


def test_muscle_is_strewn_into_the_cavity_alone_and_in_half_of_the_views():
    torch.manual_seed(0)
    cavity = (ventricles() == 3).expand(200, -1, -1)
    images = torch.full((200, 3, 128, 128), 0.8)
    views = trabeculated(images, cavity, 0.7)
    outside = ~cavity[:, None].expand_as(views)
    assert torch.equal(views[outside], images[outside])
    assert torch.equal(views[:, 0], views[:, 2])
    assert views.min() >= 0.8 * (1 - 0.7) - 1e-6
    changed = (views != images).any((1, 2, 3)).float().mean()
    assert 0.4 < changed < 0.6
