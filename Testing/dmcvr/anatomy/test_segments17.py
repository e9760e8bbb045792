from dataclasses import dataclass

import numpy as np
import pytest
from dmcvr.anatomy.long_axis import long_axis
from dmcvr.anatomy.segments17 import SEGMENTS, segment_numbers, thickening, wall_thickness
from dmcvr.anatomy.walls import AxisCoordinates, MidWall, mid_wall
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, unit
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.simulation.phantom import PhantomConfig
from dmcvr.simulation.phantom.heart import Heart
from dmcvr.simulation.phantom.ventricles import _profile
from drawnhearts import APEX, CENTRE, RV, ellipsoid_heart
from scipy import spatial

ED, ES = 0.0, 0.35
SPACING = 1.4


@dataclass(frozen=True)
class Truth:
    """A phantom's labels, sampled exactly, and (N, 3) points of its endo- and epicardium, by formula, LPS."""

    labels: np.ndarray
    grid: Grid
    endocardium: np.ndarray
    epicardium: np.ndarray


def truth(config: PhantomConfig, phase: float) -> Truth:
    heart = Heart.at(config, phase)
    middle, radius = heart.ball
    # Neither along the heart's axes nor along the body's, as stacks lie.
    z = unit(config.apex_direction + np.array([0.1, 0.05, 0.0]))
    x = unit(np.cross([0.2, 1.0, 0.0], z))
    axes = SPACING * np.stack([x, np.cross(z, x), z])
    count = int(2 * radius / SPACING) + 2
    grid = Grid.of_steps(middle - axes.sum(0) * (count - 1) / 2, axes, (count,) * 3)
    points = grid.position(np.moveaxis(np.indices(grid.shape), 0, -1)).astype(np.float32)
    labels = heart.labels(points.reshape(-1, 3)).reshape(grid.shape)
    chambers = heart.chambers
    surfaces = [
        heart.to_body(_bullet(chambers, radius_of, length))
        for radius_of, length in (
            (chambers.endo_radius, chambers.length),
            (chambers.epi_radius, chambers.epi_length),
        )
    ]
    return Truth(labels, grid, *surfaces)


def _bullet(chambers, radius_of, length):
    """(N, 3) heart coordinates of one border of the wall: its equation in ``ventricles``."""
    depth = length * (1 - np.linspace(1, 0, 300) ** 2)
    depth, angle = np.meshgrid(depth, np.linspace(-np.pi, np.pi, 540), indexing="ij")
    cos, sin = np.cos(angle), np.sin(angle)
    rho = radius_of(cos, sin) * np.sqrt(np.maximum(_profile(depth / length)[0], 0))
    u, v = rho * cos + chambers._axis(depth), rho * sin
    w = chambers.base + chambers.slope[0] * u + chambers.slope[1] * v - depth
    return np.stack([u, v, w], -1).reshape(-1, 3)


def by_formula(heart: Truth) -> np.ndarray:
    """(17,) mm: the same definition on the exact borders, instead of those found in labels."""
    axis = long_axis(heart.labels, heart.grid)
    found = mid_wall(heart.labels, heart.grid, axis)
    voxels = heart.grid.position(np.argwhere(heart.labels == LVM))
    inward, outward = (spatial.cKDTree(s).query(voxels)[0] for s in (heart.endocardium, heart.epicardium))
    middle = np.abs(inward - outward) < SPACING / 2
    place = AxisCoordinates.of(voxels[middle], axis)
    exact = MidWall(voxels[middle], place, (inward + outward)[middle], found.epicardium, found.rim)
    numbers = segment_numbers(heart.labels, heart.grid, axis, exact)
    return np.array([exact.thickness[numbers == number].mean() for number in range(1, 18)])


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        PhantomConfig(),
        PhantomConfig(edv_ml=250, ef=0.25, elongation=1.55),
        PhantomConfig(edv_ml=110, wall_mm=13, septal_ratio=1.5),
        PhantomConfig(edv_ml=160, ef=0.4, wall_mm=5.5, roll_deg=12, tilt_deg=10),
    ],
    ids=["normal", "dilated", "hypertrophic", "thin"],
)
@pytest.mark.parametrize("phase", [ED, ES], ids=["ED", "ES"])
def test_phantoms_are_measured_within_half_a_millimetre(config, phase):
    heart = truth(config, phase)
    off = np.array(wall_thickness(heart.labels, heart.grid), float) - by_formula(heart)
    assert np.abs(off).max() < 0.5
    assert abs(off.mean()) < 0.2


@pytest.mark.slow
def test_a_phantom_thickens_as_it_was_made_to():
    config = PhantomConfig()
    ed, es = (wall_thickness(*_seen(truth(config, phase))) for phase in (ED, ES))
    walls = [Heart.at(config, phase).chambers.wall for phase in (ED, ES)]
    expected = 100 * (walls[1] / walls[0] - 1)
    lateral = [thickening(ed[index], es[index]) for index in (4, 5, 10, 11)]
    assert np.mean(lateral) == pytest.approx(expected, abs=8)


def _seen(heart: Truth) -> tuple[np.ndarray, Grid]:
    return heart.labels, heart.grid


@pytest.fixture(scope="module")
def plain():
    """A heart of 24 mm within 34, and where its voxels lie: heights and degrees from the RV."""
    labels, grid = ellipsoid_heart(APEX)
    return labels, grid


def bulged(plain, low, high, degrees):
    """The heart with its wall made thicker by 6 mm between two heights along the axis, about a direction."""
    labels, grid = plain
    labels = labels.copy()
    points = grid.position(np.moveaxis(np.indices(labels.shape), 0, -1)) - CENTRE
    along, u, v = points @ APEX, points @ RV, points @ np.cross(APEX, RV)
    angle = np.degrees(np.arctan2(v, u))
    there = (np.abs((angle - degrees + 180) % 360 - 180) < 22) & (along > low) & (along < high)
    outer = np.hypot(u, v) / np.sqrt(np.maximum(1 - ((along + 30) / 80) ** 2, 1e-6))
    labels[there & (outer < 41) & (labels != LVC)] = LVM
    return labels, grid


@pytest.mark.parametrize(
    ("low", "high", "degrees", "segment"),
    [
        (-28, -10, -90, "basal anterior"),
        (-28, -10, 90, "basal inferior"),
        (-4, 14, 157, "mid inferolateral"),
        (-4, 14, -157, "mid anterolateral"),
        (20, 38, 90, "apical inferior"),
        (20, 38, 180, "apical lateral"),
        (20, 38, -90, "apical anterior"),
    ],
)
def test_a_wall_is_thicker_in_the_segment_where_it_was_made_so(plain, low, high, degrees, segment):
    before, after = wall_thickness(*plain), wall_thickness(*bulged(plain, low, high, degrees))
    gained = np.array(after) - np.array(before)
    assert SEGMENTS[int(gained.argmax())] == segment
    assert gained.max() > 0.6
    assert np.abs(np.delete(gained, gained.argmax())).max() < 0.3


def test_the_septum_lies_between_the_insertions_and_is_halved(plain):
    labels, grid = plain
    axis = long_axis(labels, grid)
    wall = mid_wall(labels, grid, axis)
    numbers = segment_numbers(labels, grid, axis, wall)
    angles = wall.coordinates.angles
    for anteroseptal, inferoseptal in ((2, 3), (8, 9)):
        first, second = angles[numbers == anteroseptal], angles[numbers == inferoseptal]
        assert first.max() <= second.min()
        # This RV is a mirror image of itself, so its septum is, too.
        assert first.min() == pytest.approx(-second.max(), abs=4)
        assert np.ptp(first) == pytest.approx(np.ptp(second), abs=4)
    beside = labels == RVC
    right = AxisCoordinates.of(grid.position(np.argwhere(beside)), axis)
    assert np.abs(angles[(numbers == 2) | (numbers == 3)]).max() <= np.abs(right.angles).max() + 8


def test_thirds_are_equal_and_the_cap_lies_beyond_the_cavity(plain):
    labels, grid = plain
    axis = long_axis(labels, grid)
    wall = mid_wall(labels, grid, axis)
    numbers = segment_numbers(labels, grid, axis, wall)
    heights = wall.coordinates.heights
    cavity = AxisCoordinates.of(grid.position(np.argwhere(labels == LVC)), axis).heights
    assert heights[numbers == 17].max() < cavity.min() + 0.01
    ends = [heights[(numbers >= low) & (numbers < low + 6)].min() for low in (1, 7)]
    apical = heights[(numbers >= 13) & (numbers < 17)].min()
    # To a slice of 2 mm.
    assert ends[0] - ends[1] == pytest.approx(ends[1] - apical, abs=2.1)


def test_what_is_not_shown_has_no_thickness(plain):
    labels, grid = plain
    apart = labels.copy()
    points = grid.position(np.moveaxis(np.indices(labels.shape), 0, -1)) - CENTRE
    apart[(labels == RVC) & (points @ RV < 45)] = 0
    assert wall_thickness(apart, grid) is None
    assert wall_thickness(np.where(labels == LVM, 0, labels), grid) is None
    with pytest.raises(InputError, match="right ventricle"):
        wall_thickness(np.where(labels == RVC, 0, labels), grid)


def test_thickening_is_in_percent_of_end_diastole():
    assert thickening(8.0, 12.0) == pytest.approx(50)
    assert thickening(None, 12.0) is None
    assert thickening(8.0, None) is None
