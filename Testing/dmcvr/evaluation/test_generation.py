import numpy as np
import pytest
from dmcvr.evaluation.cases import Case
from dmcvr.evaluation.generation import generation_tables, label_slices, regenerate
from dmcvr.evaluation.methods import find_labels
from dmcvr.segmentation import window_about


@pytest.fixture(scope="module")
def case(heart, model):
    """Judged by the segmenter's own labels."""
    return Case("p_ED", heart[0], find_labels(model, heart[0]))


@pytest.fixture(scope="module")
def images(case, model):
    native = [case.stack.plane(index) for index in range(len(case.labels))]
    window = window_about(model, case.stack.frames[0], native, native, case.labels > 0)
    return window, window.images(case.stack.frames[0], native)


def test_more_steps_bring_the_slices_back(case, images, model):
    window, before = images
    errors = []
    for steps in (1, 4):
        after = regenerate(model, before, window, case, "dmcvr", steps)
        assert after.shape == before.shape
        assert after.min() >= 0
        assert after.max() <= 1
        errors.append(np.square(after - before).mean())
    assert errors[1] < 0.5 * errors[0]


def test_slices_do_not_mix(case, images, model):
    window, before = images
    two = Case("p_ED", case.stack.select(slices=[0, 1]), case.labels[:2])
    alone = regenerate(model, before[:2], window, two, "diffae", 2)
    together = regenerate(model, before, window, case, "diffae", 2)
    np.testing.assert_allclose(alone, together[:2], atol=1e-3)


def test_the_table_has_the_papers_lines(case, images, model, lines):
    calls = []
    (table,) = generation_tables([case], model, ("original", "dmcvr"), 2, lambda: calls.append(1))
    assert len(calls) == 1
    summary = lines(table)
    assert list(summary) == [
        (name, method) for name in ("all", "LVC", "LVM", "RVC") for method in ("original", "dmcvr")
    ]
    for name in ("all", "LVC", "LVM", "RVC"):
        # The window's labels, against themselves resampled to the stack's pixels and back.
        assert summary[name, "original"].cells["Dice"].mean > 0.85
        assert summary[name, "dmcvr"].cells["VOE %"].mean >= 0
    assert summary["all", "original"].cells["PSNR dB"].cases == 0
    assert summary["all", "dmcvr"].cells["PSNR dB"].mean > 10
    assert summary["all", "dmcvr"].cells["SSIM"].mean < 1
    assert summary["LVC", "dmcvr"].cells["PSNR dB"].cases == 0


def test_labels_are_the_segmenters(images, model):
    labels = label_slices(model, images[1])
    assert labels.shape == images[1].shape
    assert set(np.unique(labels)) <= {0, 1, 2, 3}
    assert (labels == 1).any()
