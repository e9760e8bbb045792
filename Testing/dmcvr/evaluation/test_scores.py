from math import inf, isnan

import numpy as np
import pytest
from dmcvr.core.labels import LVC, RVC
from dmcvr.evaluation.metrics import structures, surface_distances
from dmcvr.evaluation.scores import ImageScale, dice_by_structure, empty_masks, mask_scores


def test_equal_masks_are_perfect_and_a_missed_one_has_no_distance(prism):
    case = prism()
    mask = case.labels == LVC
    perfect = mask_scores(mask, mask, case.spacing)
    assert (perfect.pop("Dice"), set(perfect.values())) == (1.0, {0.0})
    missed = mask_scores(np.zeros_like(mask), mask, case.spacing)
    assert (missed.pop("Dice"), missed.pop("VOE %")) == (0.0, 100.0)
    assert all(isnan(value) for value in missed.values())


def test_columns_hold_the_distances_they_name(prism):
    case = prism()
    masks = structures(case.labels)
    scores = mask_scores(masks["LVC"], masks["all"], case.spacing)
    distances = surface_distances(masks["LVC"], masks["all"], case.spacing)
    found = [scores[f"{name} mm"] for name in ("ASD", "ASSD", "HD", "HD95", "ASSD")]
    assert found == [distances.asd, distances.assd, distances.hd, distances.hd95, distances.assd]
    assert scores["ASSD mm (mean of means)"] == distances.assd_directed
    assert len(set(scores.values())) == len(scores)


def test_empty_masks_are_those_on_one_side_only(prism):
    true = prism().labels
    assert empty_masks(true, true) == 0
    without = np.where(true == RVC, 0, true)
    assert (empty_masks(without, true), empty_masks(true, without)) == (1, 1)
    assert empty_masks(np.zeros_like(true), true) == 3
    assert isnan(dice_by_structure(without, without)["RVC"])
    assert dice_by_structure(without, true)["RVC"] == 0


def test_images_are_compared_in_the_window_and_as_a_whole(prism):
    case = prism()
    frame = np.pad(case.stack.frames[0], ((0, 0), (40, 40), (40, 40)))
    labels = np.pad(case.labels, ((0, 0), (40, 40), (40, 40)))
    scale = ImageScale.of(frame, labels, case.stack.spacing)
    heart = np.argwhere(labels[0])
    assert scale.window[tuple(heart.T)].all()
    # 192 mm of 2 mm pixels, both ends included at most.
    assert np.ptp(np.argwhere(scale.window), axis=0) == pytest.approx([96, 96], abs=1)
    assert scale.whole == pytest.approx(np.percentile(frame, 99.5))
    same = scale.scores(frame[0], frame[0])
    assert (same["PSNR dB"], same["SSIM"]) == (inf, pytest.approx(1.0))
    outside = frame[0] + np.where(scale.window, 0, scale.whole / 10).astype(np.float32)
    scores = scale.scores(outside, frame[0])
    assert scores["PSNR dB"] == inf
    assert scores["PSNR dB (whole slice)"] == pytest.approx(
        -10 * np.log10(0.01 * (~scale.window).mean()), abs=1e-3
    )


def test_doubt_is_told_beside_the_error_and_how_they_go_together(prism):
    case = prism()
    frame = case.stack.frames[0]
    scale = ImageScale.of(frame, case.labels, case.stack.spacing)
    error = np.random.default_rng(0).uniform(0, 0.2, frame[0].shape) * scale.inside
    dark = np.zeros_like(frame[0])
    found = scale.doubt(error / 2, dark + error, dark)
    assert found["uncertainty"] == pytest.approx(0.05, rel=0.1)
    assert found["error"] == pytest.approx(0.1, rel=0.1)
    assert found["rank correlation"] == pytest.approx(1)
    assert scale.doubt(error.max() - error, dark + error, dark)["rank correlation"] == pytest.approx(-1)


def test_beyond_white_all_intensities_are_equal(prism):
    case = prism()
    scale = ImageScale.of(case.stack.frames[0], case.labels, case.stack.spacing)
    bright = np.full(case.labels.shape[1:], 2 * max(scale.inside, scale.whole))
    assert scale.scores(bright, 3 * bright)["PSNR dB"] == inf
