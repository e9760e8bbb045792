from dataclasses import replace

import numpy as np
import pytest
from dmcvr.anatomy.cuts import outlines
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.contours import Contours
from dmcvr.evaluation.methods import Comparison
from dmcvr.evaluation.real_examination import RealExamination, check_contours, examine
from dmcvr.evaluation.view_tables import examination_tables

TWO = Comparison(("nearest", "shape"))


def silent(stage, done, total):
    pass


def drawn_points(stack, labels, frame: int) -> Contours:
    """Every outline of the labels (S, H, W) as contour points, those of LVC one pixel further down."""
    points, kinds, images = [], [], []
    for index, image in enumerate(labels):
        plane = stack.plane(index)
        for label, lines in outlines(image).items():
            for line in lines:
                moved = line + np.array([label == LVC, 0])
                points.append(plane.origin + moved[:, :1] * plane.step_y + moved[:, 1:] * plane.step_x)
                kinds += [label] * len(line)
                images += [index + 1] * len(line)
    points = np.concatenate(points)
    return Contours(points, np.array(["SAX"] * len(points)), np.array(kinds), np.array(images), frame)


@pytest.fixture(scope="module")
def examination(cine):
    contours = drawn_points(cine.sax, cine.sax_labels[1], 1)
    return RealExamination(cine.sax, tuple(cine.lax.values()), cine.sax_labels, (contours,))


@pytest.fixture(scope="module")
def examined(examination):
    calls = []
    items = examine(
        examination, ("ed", 1), None, TWO, lambda stage, done, total: calls.append((stage, done, total))
    )
    assert calls == [("evaluate", 1, 2), ("evaluate", 2, 2)]
    return items


def test_frames_are_chosen_and_named(examined):
    assert [(item.frame, item.phase, item.name) for item in examined] == [
        (0, "ED", "frame 0 (ED)"),
        (1, "", "frame 1"),
    ]


def test_a_frame_named_twice_is_examined_once(examination):
    (item,) = examine(examination, (0, "ed"), None, Comparison(("nearest",)), silent)
    assert item.name == "frame 0 (ED)"


def test_each_frame_has_its_own_labels_and_long_axis_images(examined, cine):
    for item, frame in zip(examined, (0, 1), strict=True):
        np.testing.assert_array_equal(item.labels, cine.sax_labels[frame])
        np.testing.assert_array_equal(item.stack.frames[0], cine.sax.frames[frame])
        assert list(item.results) == ["nearest", "shape"]
        for image, view in zip(item.lax, cine.lax.values(), strict=True):
            np.testing.assert_array_equal(image.stack.frames[0, 0], view.frames[frame, 0])
        assert [cut.name for cut in item.cuts()] == ["2ch", "3ch", "4ch"]
    assert not any(examined[0].points)
    assert examined[1].points[6].keys() == {LVC, LVM, RVC}


def test_distances_of_points_on_and_beside_the_outlines(examined, lines):
    volumes, distances = examination_tables(examined, "experts")
    assert set(lines(volumes)) == {
        (name, method) for name in ("frame 0 (ED)", "frame 1") for method in ("nearest", "shape")
    }
    expected = examined[0].results["shape"].volumes[0]["LVC"]
    assert lines(volumes)["frame 0 (ED)", "shape"].cells["LVC ml"].mean == pytest.approx(expected)
    summary = lines(distances)
    assert list(summary) == [
        ("short axis", "experts", name) for name in ("LV endocardium", "LV epicardium", "RV endocardium")
    ]
    for name in ("LV epicardium", "RV endocardium"):
        cells = summary["short axis", "experts", name].cells
        assert cells["95th percentile mm"].mean == pytest.approx(0, abs=1e-9)
        assert cells["points"].mean > 50
        assert cells["points without outline"].mean == 0
    # Moved down by one pixel of 2.4 mm, an outline is at most that far away.
    cells = summary["short axis", "experts", "LV endocardium"].cells
    assert 0.3 < cells["median mm"].mean < cells["95th percentile mm"].mean <= 2.4 + 1e-9


def test_points_on_long_axis_images_are_measured_for_every_method(examined, cine, lines):
    item = examined[0]
    inside, beyond = item.stack.origins[[6, 0]] + 60 * item.stack.step_x + 60 * item.stack.step_y
    points = np.stack([inside, beyond - 30 * item.stack.normal])
    image = replace(item.lax[0], points={LVM: points})
    empty = replace(item.lax[1], points={RVC: points[:1]})
    nothing = replace(
        item.results["shape"],
        labels=np.where(item.results["shape"].labels == RVC, 0, item.results["shape"].labels),
    )
    results = {"nearest": item.results["nearest"], "shape": nothing}
    _, table = examination_tables([replace(item, lax=(image, empty), results=results)], "experts")
    summary = lines(table)
    for method in results:
        # The point beyond the end slices is left out.
        assert summary["long axis", method, "LV epicardium"].cells["points"].mean == 1
        assert summary["long axis", method, "LV epicardium"].cells["median mm"].mean > 0
    cells = summary["long axis", "shape", "RV endocardium"].cells
    assert (cells["points without outline"].mean, cells["median mm"].cases) == (1, 0)


def test_without_contours_there_is_no_table_of_distances(examined):
    (table,) = examination_tables(examined[:1], "experts")
    assert table.title == "Volumes"


def test_the_segmenter_labels_where_no_expert_did(heart, model):
    stages = []
    (item,) = examine(
        RealExamination(heart[0]),
        ("es",),
        model,
        Comparison(("nearest",)),
        lambda stage, done, total: stages.append(stage),
    )
    assert (item.labels == LVC).any()
    assert item.phase == "ES"
    assert set(stages) == {"segment", "evaluate"}


def test_contours_must_fit_the_cine(examination):
    (contours,) = examination.contours
    check_contours((contours,), 2)
    with pytest.raises(InputError, match="same time frame"):
        check_contours((contours, contours), 3)
    with pytest.raises(InputError, match="of time frame 1, but the cine's frames are 0 to 0"):
        check_contours((contours,), 1)
