"""Table 2 of the paper: the reconstruction cut by long-axis (LAX) planes, against the truth on them.

The truth is that of phantoms, or of hearts of a shape model: exact on every plane, and without the
breath-hold shifts of the short-axis slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.geometry import Plane
from ..model.inference import Model
from ..reconstruction.result import Reconstruction
from ..simulation.phantom import Examination, Phantom, make_phantom, random_config
from .methods import Comparison, reconstructions
from .metrics import dice, is_missing, structures
from .summary import Column, Row, Table, by_structure

FIRST_SEED = 1000
"""Training draws its phantoms from the seeds 0, 1, ...; these are kept apart."""
VIEWS = ("2ch", "3ch", "4ch")
COLUMNS = tuple(Column(name, drawn=f"Dice, {name}") for name in ("average", *VIEWS))
NOTES = (
    "Dice of the labels on each long-axis plane against the exact truth there, which does not have the "
    "breath-hold shifts of the short-axis slices; average: of a heart's views.",
)


@dataclass(frozen=True)
class Phantoms:
    """``count`` random phantoms, made one by one: even ones at end-diastole, odd ones near end-systole.

    scan: fields of every scan's configuration that are not left to chance. Iterating gives (name, phantom of
    one frame).
    """

    count: int
    scan: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[str, Phantom]]:
        for index in range(self.count):
            config = random_config(FIRST_SEED + index, **self.scan)
            frame = 0 if index % 2 == 0 else config.n_frames // 3
            yield f"phantom{FIRST_SEED + index}", make_phantom(config, frames=[frame])


def long_axis_tables(
    hearts: Iterable[tuple[str, Examination]],
    model: Model | None,
    comparison: Comparison,
    done: Callable[[], None] = lambda: None,
) -> list[Table]:
    """Dice on the views of every heart, by structure and method. done: called after each heart.

    A heart that was not found has Dice 0.
    """
    rows, missed = [], set()
    for name, heart in hearts:
        for method, result in reconstructions(heart.sax, heart.sax_labels[0], model, comparison):
            if result is None:
                missed.add(name)
            rows += heart_rows(name, heart, method, result)
        done()
    missed_note = f"No heart was found in {len(missed)} of the stacks; these have Dice 0."
    notes = (*NOTES, *comparison.notes, missed_note)
    return [Table("Long-axis views", ("structure", "method"), COLUMNS, by_structure(rows), notes)]


def cut(result: Reconstruction, plane: Plane) -> np.ndarray:
    """Labels (H, W) of the reconstruction's first frame on ``plane``, by nearest neighbour."""
    return result.grid.sample(result.labels[0], plane.points(), order=0)


def heart_rows(name: str, heart: Examination, method: str, result: Reconstruction | None) -> list[Row]:
    """One row a structure."""
    scores: dict[str, dict[str, float]] = {}
    empty: dict[str, int] = {}
    for view in VIEWS:
        true = heart.lax_labels[view][0, 0]
        predicted = np.zeros_like(true) if result is None else cut(result, heart.lax[view].plane(0))
        real = structures(true)
        for structure, mask in structures(predicted).items():
            scores.setdefault(structure, {})[view] = dice(mask, real[structure])
            empty[structure] = empty.get(structure, 0) + int(is_missing(mask, real[structure]))
    rows = []
    for structure, views in scores.items():
        shown = [value for value in views.values() if not np.isnan(value)]
        values = {**views, "average": float(np.mean(shown))} if shown else views
        rows.append(Row(name, (structure, method), values, empty[structure]))
    return rows
