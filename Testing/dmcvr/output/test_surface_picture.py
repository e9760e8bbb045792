import numpy as np
from dmcvr.core.geometry import Grid, Plane
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.output.surface_picture import surface_image

GRID = Grid(np.zeros(3), *np.eye(3), (40, 40, 40))
FRONT = Plane(np.array([0.0, 0, 20]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), (40, 40))


def ball(centre, radius) -> np.ndarray:
    return np.linalg.norm(np.moveaxis(np.indices(GRID.shape), 0, -1) - np.array(centre), axis=-1) < radius


def test_a_ball_is_a_shaded_disc_in_its_place():
    labels = np.where(ball((20, 15, 25), 8), LVC, 0).astype(np.uint8)
    image = surface_image(labels, GRID, FRONT)
    assert image.shape == (40, 40, 3)
    shown = (image < 1).any(-1)
    rows, columns = np.argwhere(shown).mean(0)
    np.testing.assert_allclose((rows, columns), (15, 25), atol=0.5)
    assert abs(shown.sum() - np.pi * 64) < 20
    # Light falls from above and the left.
    assert image[11, 21].sum() > image[19, 29].sum()


def test_what_is_nearer_hides_what_is_behind_but_muscle_lets_it_shine_through():
    near, far = ball((10, 20, 20), 6), ball((30, 20, 20), 9)
    labels = np.where(far, LVC, 0).astype(np.uint8)
    alone = surface_image(labels, GRID, FRONT)[20, 20]
    labels[near] = RVC
    hidden = surface_image(labels, GRID, FRONT)
    np.testing.assert_allclose(hidden[20, 20], surface_image(np.where(near, RVC, 0), GRID, FRONT)[20, 20])
    labels[near] = LVM
    through = surface_image(labels, GRID, FRONT)[20, 20]
    muscle = surface_image(np.where(near, LVM, 0), GRID, FRONT)[20, 20]
    assert np.abs(through - alone).max() > 0.05
    assert np.abs(through - muscle).max() > 0.05


def test_what_the_plane_does_not_show_is_white():
    labels = np.where(ball((20, 20, 20), 6), RVC, 0).astype(np.uint8)
    away = Plane(FRONT.origin + 60 * FRONT.step_x, FRONT.step_x, FRONT.step_y, FRONT.shape)
    assert (surface_image(labels, GRID, away) == 1).all()
    assert (surface_image(0 * labels, GRID, FRONT) == 1).all()
