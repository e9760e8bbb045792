"""A complete examination of a known heart: short-axis stack and long-axis views, with the truth on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry import Plane, unit
from ...core.stack import Stack
from .config import PhantomConfig
from .render import Labelled, Scanner, Scene, render_plane


@dataclass(frozen=True)
class Examination:
    """Cine MR of a heart of which everything is known.

    config: the body and the scan; what the heart is made from, where it is made by formula.
    sax, sax_labels: the stack with (T, S, H, W) uint8 labels, the slices' breath-hold shifts included.
    lax, lax_labels: "2ch", "3ch", "4ch"; stacks of one slice, the views' breath-hold shifts included, and
        labels (T, 1, H, W) of the heart at rest on the same planes.
    shifts: (S, 3) LPS mm by which the heart was displaced when each SAX slice was acquired.
    lax_shifts: (3,) LPS mm, the same of each view.
    """

    config: PhantomConfig
    sax: Stack
    sax_labels: np.ndarray
    lax: dict[str, Stack]
    lax_labels: dict[str, np.ndarray]
    shifts: np.ndarray
    lax_shifts: dict[str, np.ndarray]


def examine(
    config: PhantomConfig,
    scene: Scene,
    numbers: tuple[int, ...],
    sax: list[Plane],
    lax: dict[str, Plane],
) -> Examination:
    """Scan the hearts of ``scene``, which are the cine frames ``numbers``, on the given planes."""
    times = config.times[list(numbers)]
    scanner = Scanner(config)

    def scan(plane: Plane, thickness: float, number: int, shift=None, subslices: int = 4):
        signal, labels = render_plane(scene, plane, thickness, subslices, shift)
        # A generator for each plane and frame: a frame looks the same whichever others are rendered.
        images = [
            scanner.acquire(signal[i : i + 1], plane, np.random.default_rng([config.seed, 5, number, frame]))[
                0
            ]
            for i, frame in enumerate(numbers)
        ]
        return np.stack(images), labels

    shifts = _breath_hold_shifts(config, sax[0], len(sax))
    lax_shifts = _view_shifts(config, lax)
    slices = [
        scan(plane, config.slice_thickness_mm, i, shift)
        for i, (plane, shift) in enumerate(zip(sax, shifts, strict=True))
    ]
    views, view_labels = {}, {}
    for i, (name, plane) in enumerate(lax.items()):
        images, _ = scan(plane, config.lax_thickness_mm, 1000 + i, lax_shifts[name], subslices=3)
        views[name] = Stack(images[:, None], plane.origin[None], plane.step_x, plane.step_y, times)
        view_labels[name] = np.stack([plane_labels(heart, plane) for heart in scene.hearts])[:, None]
    return Examination(
        config=config,
        sax=Stack(
            frames=np.stack([images for images, _ in slices], axis=1),
            origins=np.stack([plane.origin for plane in sax]),
            step_x=sax[0].step_x,
            step_y=sax[0].step_y,
            times=times,
        ),
        sax_labels=np.stack([labels for _, labels in slices], axis=1),
        lax=views,
        lax_labels=view_labels,
        shifts=shifts,
        lax_shifts=lax_shifts,
    )


def plane_labels(heart: Labelled, plane: Plane) -> np.ndarray:
    """(H, W) uint8 exact labels at the pixels' centres."""
    return heart.labels(plane.points().reshape(-1, 3).astype(np.float32)).reshape(plane.shape)


def _breath_hold_shifts(config: PhantomConfig, plane: Plane, count: int) -> np.ndarray:
    """(S, 3) LPS mm."""
    rng = np.random.default_rng([config.seed, 6])
    axes = np.stack([unit(plane.step_x), unit(plane.step_y), plane.normal])
    return rng.normal(size=(count, 3)) * config.shift_sd_mm * [1, 1, 0.3] @ axes


def _view_shifts(config: PhantomConfig, planes: dict[str, Plane]) -> dict[str, np.ndarray]:
    """(3,) LPS mm of each long-axis view, alike in all directions: breath-holds differ most along the body,
    which lies in and across these planes.
    """
    rng = np.random.default_rng([config.seed, 13])
    return {name: rng.normal(size=3) * config.lax_shift_sd_mm for name in planes}
