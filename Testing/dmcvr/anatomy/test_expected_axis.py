"""Views told before anything is segmented: of drawn patients, and of a real one where it is at hand."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from dmcvr.anatomy.expected_axis import expected_long_axis
from dmcvr.core.geometry import Plane
from dmcvr.simulation.phantom import PhantomConfig, random_config
from dmcvr.simulation.phantom.heart import AORTIC, MITRAL, TRICUSPID, Heart
from dmcvr.simulation.phantom.planes import lax_planes, sax_planes

BIVME = Path(__file__).resolve().parents[4] / "shared" / "data" / "bivme"
VIEWS = ("2ch", "3ch", "4ch")


def planes(config: PhantomConfig) -> tuple[list[Plane], dict[str, Plane], np.ndarray]:
    """Short-axis and long-axis planes of a patient, and where the long axis passes."""
    heart, scale = Heart.at(config, 0.0), config.scale
    low = heart.apex[2] - 20
    sax = sax_planes(config, heart.axes[2], heart.to_body([12.0 * scale, 0.0, 0.0]), low, 15 * scale)
    places = [heart.to_body(heart.landmark(valve)) for valve in (MITRAL, TRICUSPID, AORTIC)]
    return sax, lax_planes(config, heart.to_body(heart.apex), *places), places[0]


@pytest.mark.parametrize("seed", range(8))
def test_views_of_patients_are_told_by_how_they_lie(seed):
    sax, lax, mitral = planes(random_config(seed))
    stack = sax if seed % 2 else sax[::-1]
    axis = expected_long_axis(stack, list(lax.values()))
    assert {view: axis.view(plane) for view, plane in lax.items()} == dict(zip(VIEWS, VIEWS, strict=True))
    assert np.linalg.norm(np.cross(mitral - axis.centre, axis.apex)) < 8


def test_images_beside_the_ventricle_are_of_no_view():
    sax, lax, _ = planes(random_config(0))
    beside = [
        Plane(plane.origin + 35 * plane.normal, plane.step_x, plane.step_y, plane.shape)
        for plane in lax.values()
    ]
    axis = expected_long_axis(sax, [*beside[:1], *lax.values()])
    assert [axis.view(plane) for plane in beside] == [None] * 3


def test_a_far_crossing_of_two_images_says_nothing():
    """One of them may show the right heart."""
    sax, lax, _ = planes(random_config(0))
    middle = np.mean([plane.centre for plane in sax], axis=0)

    def through(point: np.ndarray, plane: Plane) -> Plane:
        return Plane(point, plane.step_x, plane.step_y, plane.shape)

    side = np.cross(lax["4ch"].normal, sax[0].normal)
    for away, centre in ((40.0, middle), (10.0, middle + 10 * side)):
        pair = [through(middle, lax["4ch"]), through(middle + away * side, lax["2ch"])]
        axis = expected_long_axis(sax, pair)
        assert np.linalg.norm(np.cross(axis.centre - centre, axis.apex)) < 4, away


def test_without_images_the_axis_passes_the_middle_of_the_stack():
    sax, _, _ = planes(random_config(0))
    axis = expected_long_axis(sax)
    np.testing.assert_allclose(axis.centre, np.mean([plane.centre for plane in sax], axis=0))
    assert axis.apex @ [1, -1, -1] > 0
    assert abs(axis.apex @ axis.rv) < 1e-9


def plane_of(path: Path) -> Plane:
    image = nibabel.load(path)
    affine = np.diag([-1, -1, 1, 1]) @ image.affine
    return Plane(affine[:3, 3], affine[:3, 0], affine[:3, 1], image.shape[1::-1])


@pytest.mark.skipif(not BIVME.is_dir(), reason="the real examination is not at hand")
def test_views_of_a_real_examination():
    """One file is named after another view than it shows; two images show the right heart."""
    first = plane_of(BIVME / "sax_cine.nii.gz")
    step = nibabel.load(BIVME / "sax_cine.nii.gz").affine[:3, 2] * [-1, -1, 1]
    sax = [Plane(first.origin + k * step, first.step_x, first.step_y, first.shape) for k in range(6)]
    lax = {path.name: plane_of(path) for path in sorted(BIVME.glob("lax_*.nii.gz"))}
    axis = expected_long_axis(sax, list(lax.values()))
    assert {name: axis.view(plane) for name, plane in lax.items()} == {
        "lax_2ch_b_cine.nii.gz": None,
        "lax_2ch_lv_a_cine.nii.gz": "2ch",
        "lax_3ch_named_4CH_cine.nii.gz": "3ch",
        "lax_4ch_cine.nii.gz": "4ch",
        "lax_rvot_cine.nii.gz": None,
    }
