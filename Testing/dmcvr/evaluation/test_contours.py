import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.contours import Contours, distances_to_outline, outline_distances, read_contours

HEADER = "x\ty\tz\tcontour type\tframeID\tweight\ttime frame\n"
LINES = (
    "1.5\t-2.0\t3.0\tSAX_LV_ENDOCARDIAL\t2\t1.0\t7\n"
    "1.0\t2.0\t3.0\tSAX_RV_SEPTUM\t2\t1.0\t7\n"
    "1.0\t2.0\t3.0\tSAX_RV_EPICARDIAL\t2\t1.0\t7\n"
    "0.0\t0.0\t9.0\tLAX_LV_EPICARDIAL\t8\t1.0\t1.0\n"
    "0.0\t0.0\t9.0\tMITRAL_VALVE\t8\t1.0\t7\n"
)
OBLIQUE = Plane(np.array([5.0, -3.0, 2.0]), np.array([0, 1.2, 1.6]), np.array([1.5, 0, 0]), (30, 40))


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        path = tmp_path / "GPFile_007.txt"
        path.write_text(text)
        return path

    return write


def test_points_of_known_boundaries_are_read(write):
    contours = read_contours(write(HEADER + LINES))
    # The weight stands for the frame in one of the lines, as biv-me writes it for the 3-chamber view.
    assert contours.frame == 7
    np.testing.assert_array_equal(contours.points, [[1.5, -2, 3], [1, 2, 3], [0, 0, 9]])
    assert contours.views.tolist() == ["SAX", "SAX", "LAX"]
    assert contours.labels.tolist() == [LVC, RVC, LVM]
    assert contours.images.tolist() == [2, 2, 8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not the text"),
        ("x,y,z\n", "not the text"),
        (HEADER + "1\t2\n", "not the text"),
        (HEADER + "one\t2\t3\tSAX_RV_SEPTUM\t2\t1.0\t7\n", "not the text"),
        (HEADER + f"1\t2\t3\tSAX_RV_SEPTUM\t{2**70}\t1.0\t7\n", "not the text"),
        (HEADER + "1\t2\t3\tMITRAL_VALVE\t2\t1.0\t7\n", "no points"),
        (HEADER + LINES + LINES.replace("\t7\n", "\t8\n"), "one file a frame"),
    ],
)
def test_what_is_no_contour_file_is_refused(write, text, message):
    with pytest.raises(InputError, match=message):
        read_contours(write(text))


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_contours(tmp_path / "nowhere.txt")
    (tmp_path / "image.txt").write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="not the text"):
        read_contours(tmp_path / "image.txt")


def on_plane(pixels, plane=OBLIQUE, above: float = 0.0):
    """LPS mm of [row, column], ``above`` mm off the plane."""
    pixels = np.asarray(pixels, float)
    lying = plane.origin + pixels[:, :1] * plane.step_y + pixels[:, 1:] * plane.step_x
    return lying + above * plane.normal


def test_the_points_of_an_image_go_to_the_plane_they_lie_on():
    other = Plane(OBLIQUE.origin + 10 * OBLIQUE.normal, OBLIQUE.step_x, OBLIQUE.step_y, OBLIQUE.shape)
    points = np.concatenate(
        [on_plane([[1, 2], [3, 4]], above=0.5), on_plane([[5, 6]], other), on_plane([[7, 8]], above=100)]
    )
    contours = Contours(
        points, np.array(["SAX"] * 4), np.array([LVC, RVC, LVC, LVC]), np.array([1, 1, 2, 3]), 0
    )
    first, second = contours.on_planes("SAX", [OBLIQUE, other])
    assert first.keys() == {LVC, RVC}
    np.testing.assert_array_equal(first[LVC], points[:1])
    assert second.keys() == {LVC}
    np.testing.assert_array_equal(second[LVC], points[2:3])
    assert contours.on_planes("LAX", [OBLIQUE]) == [{}]
    assert contours.on_planes("SAX", []) == []


def test_distances_are_mm_to_the_nearest_stretch_of_the_outline():
    # A square of 10 pixels: rows are 1.5 mm, columns 2 mm apart.
    square = np.array([[10, 10], [10, 20], [20, 20], [20, 10], [10, 10]], float)
    points = on_plane([[10, 15], [15, 15], [8, 15], [15, 23], [6, 23]], above=0.7)
    found = distances_to_outline(points, [square], OBLIQUE)
    np.testing.assert_allclose(found, [0, 7.5, 3, 6, np.hypot(6, 6)], atol=1e-9)
    nearer = distances_to_outline(points, [square, square + 5], OBLIQUE)
    assert (nearer <= found + 1e-9).all()
    assert nearer[1] == pytest.approx(0)


def test_where_there_is_no_outline_there_is_no_distance():
    points = on_plane([[1, 1], [2, 2]])
    found = outline_distances(
        {LVC: points, RVC: points}, {LVC: [], RVC: [np.array([[1.0, 0], [1, 5]])]}, OBLIQUE
    )
    assert np.isnan(found[LVC]).all()
    np.testing.assert_allclose(found[RVC], [0, 1.5])
