"""A complete examination of a heart made by formula, with its exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import InputError
from ...core.geometry import Grid, unit
from .config import PhantomConfig
from .drawing import DrawnHeart, Fields
from .examination import Examination, examine, plane_labels
from .heart import AORTIC, MITRAL, TRICUSPID, Heart
from .planes import lax_planes, sax_planes
from .render import Scanner, Scene, render_plane
from .thorax import Thorax
from .vessels import heart_vessels


@dataclass(frozen=True)
class Phantom(Examination):
    """A made-up patient's cine MR.

    frames: cine frame numbers rendered, out of config.n_frames; the first axis of every array follows it.
    hearts: the heart at each of them.
    """

    frames: tuple[int, ...]
    hearts: tuple[Heart, ...]

    def truth(self, grid: Grid, frame: int = 0) -> np.ndarray:
        """(Z, Y, X) uint8 labels of the undisplaced heart at voxel centres; ``frame`` indexes ``frames``."""
        heart = self.hearts[frame]
        return np.stack([plane_labels(heart, grid.plane(z)) for z in range(grid.shape[0])])

    def truth_volume(self, grid: Grid, frame: int) -> np.ndarray:
        """(Z, Y, X) float32: what a 3D scan without noise or displacement would show on ``grid``."""
        scene, scanner = scene_of(self.config, [self.hearts[frame]]), Scanner(self.config)
        images = []
        for plane in map(grid.plane, range(grid.shape[0])):
            signal, _ = render_plane(scene, plane, grid.spacing[2], subslices=1)
            images.append(scanner.acquire(signal, plane, None)[0])
        return np.stack(images)

    def heart_grid(self, spacing: float = 1.5, margin: float = 5.0) -> Grid:
        """Isotropic grid along the SAX axes around both ventricles of every rendered frame."""
        if not 0.2 <= spacing <= 20:
            raise InputError(f"A spacing of {spacing} mm is not usable here; choose 0.2 to 20 mm.")
        axes = np.stack([unit(self.sax.step_x), unit(self.sax.step_y), self.sax.normal])
        balls = [heart.ball for heart in self.hearts]
        low = np.min([axes @ centre - radius for centre, radius in balls], axis=0) - margin
        high = np.max([axes @ centre + radius for centre, radius in balls], axis=0) + margin
        count = np.ceil((high - low) / spacing).astype(int) + 1
        return Grid.of_steps(low @ axes, axes * spacing, count[::-1])


def scene_of(config: PhantomConfig, hearts: Sequence[Heart]) -> Scene:
    """The patient of ``config`` with these moments of the beat."""
    diastole, fields = Heart.at(config, 0.0), Fields.random(config.seed)
    scale = config.scale
    # A ball about ventricles, atria and the roots of the vessels.
    low, high = diastole.apex[2] - diastole.chambers.wall - 12, 52 * scale
    centre = diastole.to_body([18 * scale, 2, (low + high) / 2]).astype(np.float32)
    return Scene(
        thorax=Thorax.of(config),
        hearts=tuple(DrawnHeart(heart, fields) for heart in hearts),
        moving=(centre, (high - low) / 2 + 22 * scale),
        vessels=heart_vessels(diastole),
    )


def make_phantom(config: PhantomConfig, frames: Sequence[int] | None = None) -> Phantom:
    """Scan the patient of ``config``: SAX stack and three LAX views. The same config gives the same phantom.

    frames: cine frame numbers to render, 0 being ED; None for all.
    """
    numbers = tuple(range(config.n_frames) if frames is None else (int(frame) for frame in frames))
    if not numbers or not all(0 <= number < config.n_frames for number in numbers):
        raise InputError(f"This phantom has frames 0 to {config.n_frames - 1}; choose at least one of them.")
    hearts = [Heart.at(config, config.phases[number]) for number in numbers]
    diastole, scale = Heart.at(config, 0.0), config.scale
    low = diastole.apex[2] - 0.5 * diastole.chambers.wall - config.slice_gap_mm
    sax = sax_planes(config, diastole.axes[2], diastole.to_body([12.0 * scale, 0.0, 0.0]), low, 15 * scale)
    places = [diastole.landmark(valve) for valve in (MITRAL, TRICUSPID, AORTIC)]
    lax = lax_planes(config, *map(diastole.to_body, [diastole.apex, *places]))
    scan = examine(config, scene_of(config, hearts), numbers, sax, lax)
    return Phantom(**vars(scan), frames=numbers, hearts=tuple(hearts))
