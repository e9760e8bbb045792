"""A complete examination of a heart made by formula, with its exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..geometry import Grid, Plane, unit
from ..stack import Stack
from .config import PhantomConfig
from .heart import AORTIC, MITRAL, TRICUSPID, Heart
from .render import Patient, Scanner, render_plane


@dataclass(frozen=True)
class Phantom:
    """A made-up patient's cine MR.

    frames: cine frame numbers rendered, out of config.n_frames; the first axis of every array follows it.
    sax, sax_labels: the stack with (T, S, H, W) uint8 labels, the slices' breath-hold shifts included.
    lax, lax_labels: "2ch", "3ch", "4ch"; stacks of one slice, labels (T, 1, H, W); not displaced.
    shifts: (S, 3) LPS mm by which the heart was displaced when each SAX slice was acquired.
    """

    config: PhantomConfig
    frames: tuple[int, ...]
    hearts: tuple[Heart, ...]
    sax: Stack
    sax_labels: np.ndarray
    lax: dict[str, Stack]
    lax_labels: dict[str, np.ndarray]
    shifts: np.ndarray

    def truth(self, grid: Grid, frame: int) -> np.ndarray:
        """(Z, Y, X) uint8 labels of the undisplaced heart at voxel centres; ``frame`` indexes ``frames``."""
        heart = self.hearts[frame]
        return np.stack([plane_labels(heart, grid.plane(z)) for z in range(grid.shape[0])])

    def truth_volume(self, grid: Grid, frame: int) -> np.ndarray:
        """(Z, Y, X) float32: what a 3D scan without noise or displacement would show on ``grid``."""
        patient, scanner = Patient.of(self.config), Scanner(self.config)
        images = []
        for plane in map(grid.plane, range(grid.shape[0])):
            signal, _ = render_plane(patient, [self.hearts[frame]], plane, grid.spacing[2], subslices=1)
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
        return Grid(low @ axes, *(axes * spacing), shape=tuple(int(n) for n in count[::-1]))


def plane_labels(heart: Heart, plane: Plane) -> np.ndarray:
    """(H, W) uint8 exact labels at the pixels' centres."""
    return heart.labels(plane.points().reshape(-1, 3).astype(np.float32)).reshape(plane.shape)


def make_phantom(config: PhantomConfig, frames: Sequence[int] | None = None) -> Phantom:
    """Scan the patient of ``config``: SAX stack and three LAX views. The same config gives the same phantom.

    frames: cine frame numbers to render, 0 being ED; None for all.
    """
    numbers = tuple(range(config.n_frames) if frames is None else (int(frame) for frame in frames))
    if not numbers or not all(0 <= number < config.n_frames for number in numbers):
        raise InputError(f"This phantom has frames 0 to {config.n_frames - 1}; choose at least one of them.")
    hearts = [Heart.at(config, config.phases[number]) for number in numbers]
    times = config.times[list(numbers)]
    patient, scanner = Patient.of(config), Scanner(config)

    def scan(plane: Plane, thickness: float, number: int, shift=None, subslices: int = 4):
        signal, labels = render_plane(patient, hearts, plane, thickness, subslices, shift)
        # A generator for each plane and frame: a frame looks the same whichever others are rendered.
        images = [
            scanner.acquire(signal[i : i + 1], plane, np.random.default_rng([config.seed, 5, number, frame]))[
                0
            ]
            for i, frame in enumerate(numbers)
        ]
        return np.stack(images), labels

    planes = sax_planes(config, patient.diastole)
    shifts = _breath_hold_shifts(config, planes[0], len(planes))
    slices = [
        scan(plane, config.slice_thickness_mm, i, shift)
        for i, (plane, shift) in enumerate(zip(planes, shifts, strict=True))
    ]
    lax, lax_labels = {}, {}
    for i, (name, plane) in enumerate(lax_planes(config, patient.diastole).items()):
        images, _ = scan(plane, config.lax_thickness_mm, 1000 + i, subslices=3)
        lax[name] = Stack(images[:, None], plane.origin[None], plane.step_x, plane.step_y, times)
        lax_labels[name] = np.stack([plane_labels(heart, plane) for heart in hearts])[:, None]
    return Phantom(
        config=config,
        frames=numbers,
        hearts=tuple(hearts),
        sax=Stack(
            frames=np.stack([images for images, _ in slices], axis=1),
            origins=np.stack([plane.origin for plane in planes]),
            step_x=planes[0].step_x,
            step_y=planes[0].step_y,
            times=times,
        ),
        sax_labels=np.stack([labels for _, labels in slices], axis=1),
        lax=lax,
        lax_labels=lax_labels,
        shifts=shifts,
    )


def _centred(middle: np.ndarray, x: np.ndarray, y: np.ndarray, shape: tuple[int, int], pixel: float) -> Plane:
    height, width = shape
    origin = middle - pixel * ((width - 1) / 2 * x + (height - 1) / 2 * y)
    return Plane(origin, pixel * x, pixel * y, shape)


def sax_planes(config: PhantomConfig, diastole: Heart) -> list[Plane]:
    """Planes across the LV's long axis, from below the apex to above the base."""
    normal = diastole.axes[2]
    x = unit(np.cross([0.0, 1.0, 0.0], normal))  # no front-to-back part: the sternum stays on top
    y = np.cross(normal, x)
    gap = config.slice_gap_mm
    low = diastole.apex[2] - 0.5 * diastole.chambers.wall - gap
    count = int(np.ceil((15 * config.scale - low) / gap)) + 1
    middle = diastole.to_body([12.0 * config.scale, 0.0, 0.0])
    middle = middle - 0.6 * (middle @ x) * x - 0.3 * (middle @ y) * y  # between the heart and the body's axis
    centres = [middle + (low + i * gap) * normal for i in range(count)]
    return [_centred(centre, x, y, config.matrix, config.pixel_mm) for centre in centres]


def lax_planes(config: PhantomConfig, diastole: Heart) -> dict[str, Plane]:
    """Long-axis planes through the apex and the middle of the mitral valve at ED.

    "4ch" also holds the tricuspid valve, "3ch" the aortic valve; "2ch" stands at about 65 degrees to "4ch".
    """
    apex, mitral = diastole.to_body(diastole.apex), diastole.to_body(diastole.landmark(MITRAL))
    axis = unit(mitral - apex)

    def plane(sideways: np.ndarray, down: np.ndarray) -> Plane:
        """The plane of axis and ``sideways``, turned so that the image's y axis comes closest to ``down``."""
        normal = unit(np.cross(axis, sideways))
        y = unit(down - (down @ normal) * normal)
        x = np.cross(y, normal)
        middle = 0.62 * mitral + 0.38 * apex
        x = x if x @ [1.0, 1.0, 0.0] > 0 else -x
        return _centred(middle, x, y, config.lax_matrix, config.pixel_mm)

    to_tricuspid = diastole.to_body(diastole.landmark(TRICUSPID)) - mitral
    in_plane = unit(to_tricuspid - (to_tricuspid @ axis) * axis)
    across = np.cross(axis, in_plane) - 0.45 * in_plane  # turned out of the way of the aortic root
    to_aorta = diastole.to_body(diastole.landmark(AORTIC)) - mitral
    posterior, inferior = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])
    return {
        "2ch": plane(across, inferior),
        "3ch": plane(to_aorta, inferior),
        "4ch": plane(to_tricuspid, posterior),
    }


def _breath_hold_shifts(config: PhantomConfig, plane: Plane, count: int) -> np.ndarray:
    """(S, 3) LPS mm."""
    rng = np.random.default_rng([config.seed, 6])
    axes = np.stack([unit(plane.step_x), unit(plane.step_y), plane.normal])
    return rng.normal(size=(count, 3)) * config.shift_sd_mm * [1, 1, 0.3] @ axes
