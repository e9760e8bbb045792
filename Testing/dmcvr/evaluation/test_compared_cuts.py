from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC, RVC
from dmcvr.evaluation.compared_cuts import LaxImage, cut_views
from dmcvr.evaluation.methods import Comparison, reconstructions
from dmcvr.evaluation.metrics import dice


@pytest.fixture(scope="module")
def results(phantom):
    comparison = Comparison(("nearest", "shape"))
    return dict(reconstructions(phantom.sax, phantom.sax_labels[0], None, comparison))


def lax_images(phantom) -> list[LaxImage]:
    return [LaxImage(stack, phantom.lax_labels[view][0, 0]) for view, stack in phantom.lax.items()]


def test_every_view_is_cut_in_the_plane_of_its_image(phantom, results):
    cuts = cut_views(results, lax_images(phantom))
    assert [cut.name for cut in cuts] == ["2ch", "3ch", "4ch"]
    for cut in cuts:
        assert list(cut.images) == list(cut.labels) == ["nearest", "shape"]
        assert cut.real.shape == cut.images["shape"].shape == cut.labels["shape"].shape
        for image in (cut.real, *cut.images.values()):
            assert (image.min(), image.max()) == (0, 1)
        assert set(cut.truth) == set(cut.outlines)
        assert cut.truth[LVC]
        assert cut.points == {}
    four = cuts[2]
    # What the slices show on the 4-chamber plane is what the image there shows.
    assert np.corrcoef(four.real.ravel(), four.images["shape"].ravel())[0, 1] > 0.75
    assert dice(four.labels["shape"] == LVC, four.labels["nearest"] == LVC) > 0.975
    # Apex up: the cavity is wider below.
    widths = np.flatnonzero((four.labels["shape"] == LVC).any(1))
    rows = (four.labels["shape"] == LVC).sum(1)
    assert rows[widths[:5]].sum() < rows[widths[-5:]].sum()


def test_without_images_the_planes_follow_from_the_labels(results):
    cuts = cut_views(results)
    assert [cut.name for cut in cuts] == ["2ch", "3ch", "4ch"]
    assert all(cut.real is None and cut.truth == {} for cut in cuts)


def test_without_a_right_ventricle_the_images_own_planes_are_taken(phantom, results):
    result = results["shape"]
    left = replace(result, labels=np.where(result.labels == RVC, 0, result.labels).astype(np.uint8))
    cuts = cut_views({"shape": left}, lax_images(phantom)[:1])
    assert [cut.name for cut in cuts] == ["other"]
    assert cuts[0].real.shape == phantom.lax["2ch"].plane(0).shape
    with pytest.raises(InputError, match="right ventricle"):
        cut_views({"shape": left})


def test_points_are_found_again_in_pixels(phantom, results):
    plane = phantom.lax["4ch"].plane(0)
    wanted = np.array([[20.0, 30.5], [7.0, 1.0]])
    places = plane.origin + wanted[:, :1] * plane.step_y + wanted[:, 1:] * plane.step_x
    (cut,) = [
        cut
        for cut in cut_views(results, [LaxImage(phantom.lax["4ch"], points={RVC: places})])
        if cut.name == "4ch"
    ]
    assert cut.points[RVC].shape == (2, 2)
    apart = np.diff(cut.points[RVC], axis=0)[0] * cut.spacing[::-1]
    assert np.linalg.norm(apart) == pytest.approx(np.linalg.norm(np.diff(places, axis=0)))
