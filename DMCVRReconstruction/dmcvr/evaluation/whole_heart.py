"""The whole heart against the exact truth, in 3D, from slices and long-axis (LAX) images that are displaced.

Known hearts are scanned as a patient is: every slice and every LAX image in a breath-hold of its own,
displaced in its plane and through it. What is reconstructed is compared over the truth's full extent, so what
a stack does not reach counts as well. One translation nothing can tell, that of the slices as a whole; it is
taken out by the slices' true shifts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy import ndimage

from ..alignment.register import images_in_register, labels_in_register
from ..alignment.shifts import SliceShifts, in_plane
from ..anatomy.signed_distances import labels_from_distances, nested_distances
from ..core.geometry import Grid, unit
from ..core.labels import NAMES
from ..model.inference import Model
from ..reconstruction.result import Reconstruction
from ..simulation.phantom import Phantom
from ..simulation.shapemodel import ScannedHeart
from .methods import Comparison, find_labels, reconstructions_on
from .metrics import dice, is_missing, surface_distances
from .register_gain import gain_table
from .summary import Column, Row, Table
from .whole_metrics import apex_hole_mm2, pieces, root_mean_square_mm, volume_error_percent

KnownHeart = Phantom | ScannedHeart
LABELS = ("exact", "biased", "predicted")
SHIFTS_FROM = ("nothing", "shape", "2 LAX", "2 LAX+shape", "3 LAX", "3 LAX+shape", "truth")
ALIGN = {"shape": "shape", "2 LAX": "lax", "2 LAX+shape": "auto", "3 LAX": "lax", "3 LAX+shape": "auto"}
"""As in the pipeline's options."""
VIEWS = {"2 LAX": ("2ch", "4ch"), "3 LAX": ("2ch", "3ch", "4ch")}
BIAS_MM = 1.0
TRUTH_MM = 1.5
MARGIN_MM = 25.0

SHAPE_COLUMNS = (
    Column("Dice", drawn="Dice"),
    Column("ASSD, mm", 2),
    Column("HD95, mm", 2),
    Column("volume error, %", 1, agreement=True),
    Column("pieces", 1),
)
HEART_COLUMNS = (
    Column("shifts, mm", 2),
    Column("shifts left, mm", 2),
    Column("hole in the apex, mm2", 0),
)
NOTES = (
    "Against the exact truth over its full extent, after the one translation that nothing can tell.",
    f"Labels of the slices: exact; biased, every outline {BIAS_MM:g} mm outward in one heart and inward in "
    "the next; or predicted, the segmenter's.",
    "Shifts from: what the slices were put in register by; shape: the slices' own shapes; 2 LAX: 2ch and "
    "4ch; 3 LAX: 2ch, 3ch and 4ch; +shape: both together; truth: the slices' true shifts in their planes.",
    "Shifts: root mean square about their mean, over the slices that show the heart.",
)
IDEAL = {"Dice": 1.0, "pieces": 1.0, "volume over disc summation": 1.0}
"""Of a number, 0 if it is not among these."""
WORST = "The worst heart of each line, number by number."


@dataclass(frozen=True)
class Conditions:
    """labels: some of LABELS. shifts_from: some of SHIFTS_FROM."""

    labels: Sequence[str] = ("exact",)
    shifts_from: Sequence[str] = SHIFTS_FROM


def whole_tables(
    hearts: Iterable[tuple[str, KnownHeart]],
    model: Model | None,
    comparison: Comparison,
    conditions: Conditions,
    done: Callable[[], None] = lambda: None,
) -> list[Table]:
    """Shapes, then hearts, by labels, shifts and method, each followed by its worst; last what register gives
    each heart.

    A heart in which none was found has Dice 0. done: called after each heart.
    """
    shapes: list[Row] = []
    wholes: list[Row] = []
    for number, (name, heart) in enumerate(hearts):
        truth = Truth.of(heart)
        for drawn in conditions.labels:
            labels = slice_labels(heart, drawn, number, model)
            for source in conditions.shifts_from:
                for method, result, shifts in scanned_reconstructions(
                    heart, labels, source, model, comparison
                ):
                    left = left_over(heart, shifts)
                    group = (drawn, source, method)
                    shapes += shape_rows(name, group, truth, result, left)
                    wholes.append(heart_row(name, group, heart, result, left))
        done()
    keys = ("labels", "shifts from", "method")
    tables = [
        Table("Shapes", ("structure", *keys), SHAPE_COLUMNS, _in_order(shapes), NOTES),
        Table("Hearts", keys, HEART_COLUMNS, tuple(wholes), NOTES),
    ]
    gains = gain_table(shapes)
    return [table for each in tables for table in (each, worst(each))] + ([gains] if gains else [])


def slice_labels(heart: KnownHeart, drawn: str, number: int, model: Model | None) -> np.ndarray | None:
    """(S, H, W) uint8 labels of the slices, ``drawn`` as one of LABELS says; None where no heart was found.

    number: of the heart; even ones have their outlines biased outward.
    """
    if drawn == "predicted":
        if model is None:
            raise ValueError("Without a model no labels can be predicted.")
        return find_labels(model, heart.sax)
    exact = heart.sax_labels[0]
    return exact if drawn == "exact" else biased(exact, heart.sax.spacing, BIAS_MM * (-1) ** number)


def biased(labels: np.ndarray, spacing: tuple[float, float], mm: float) -> np.ndarray:
    """Labels (S, H, W) with every outline moved outward by ``mm``, where a slice has one."""
    maps = nested_distances(labels, spacing)
    return labels_from_distances(maps + mm * (maps > 0).any((-2, -1), keepdims=True))


def scanned_reconstructions(
    heart: KnownHeart, labels: np.ndarray | None, source: str, model: Model | None, comparison: Comparison
) -> Iterator[tuple[str, Reconstruction | None, SliceShifts]]:
    """(method, reconstruction, shifts by which slices were moved back), these found from ``source``, one of
    SHIFTS_FROM.
    """
    stack, shifts = heart.sax, SliceShifts.none(len(heart.shifts))
    if labels is None:
        yield from ((method, None, shifts) for method in comparison.methods)
        return
    if source == "truth":
        shifts = SliceShifts(in_plane(heart.shifts, stack))
        stack, labels = images_in_register(stack, shifts), labels_in_register(labels, stack, shifts)
    lax = tuple(heart.lax[view] for view in VIEWS.get(source.removesuffix("+shape"), ()))
    options = replace(comparison.options, align=ALIGN.get(source, "off"))
    for method, result in reconstructions_on(
        stack, labels, model, replace(comparison, options=options), lax=lax
    ):
        yield method, result, shifts if source == "truth" else result.shifts


def left_over(heart: KnownHeart, shifts: SliceShifts) -> np.ndarray:
    """(S, 3) LPS mm by which the slices are still displaced when moved back by ``shifts``."""
    return heart.shifts - shifts.vectors(heart.sax)


@dataclass(frozen=True)
class Truth:
    """labels: (Z, Y, X) uint8 of the whole heart at rest on ``grid``. weights: (S,) pixels of the heart in
    each slice.
    """

    labels: np.ndarray
    grid: Grid
    weights: np.ndarray

    @classmethod
    def of(cls, heart: KnownHeart) -> Truth:
        """On a grid of TRUTH_MM along the slices' axes. ValueError where the heart would not fit in it."""
        stack = heart.sax
        slices, rows, columns = np.nonzero(heart.sax_labels[0])
        points = stack.origins[slices] + rows[:, None] * stack.step_y + columns[:, None] * stack.step_x
        axes = np.stack([unit(stack.step_x), unit(stack.step_y), stack.normal])
        low, high = (points @ axes.T).min(0) - MARGIN_MM, (points @ axes.T).max(0) + MARGIN_MM
        x, y, z = (int(count) for count in np.ceil((high - low) / TRUTH_MM).astype(int) + 1)
        grid = Grid(low @ axes, axes[0] * TRUTH_MM, axes[1] * TRUTH_MM, axes[2] * TRUTH_MM, (z, y, x))
        labels = heart.truth(grid)
        inner = labels[1:-1, 1:-1, 1:-1]
        if np.count_nonzero(inner) < np.count_nonzero(labels):
            raise ValueError("the heart reaches further beyond the slices than the grid of the truth")
        return cls(labels, grid, heart.sax_labels[0].astype(bool).sum((1, 2)).astype(float))

    def beside(
        self, result: Reconstruction | None, left: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
        """Labels (Z, Y, X) of the reconstruction, those of the truth in the same voxels, and the voxels' (x,
        y, z) mm; over the whole of both.

        The truth is moved by the mean of the shifts ``left`` (S, 3) LPS mm, each slice counting by how much
        of the heart it shows.
        """
        if result is None:
            return np.zeros_like(self.labels), self.labels, self.grid.spacing
        together = self.weights @ left / self.weights.sum()
        box, start = _lattice_about(result.grid, self.grid, together)
        predicted = np.zeros(box.shape, np.uint8)
        inner = [
            slice(max(-low, 0), min(size - low, wanted))
            for low, size, wanted in zip(start, result.grid.shape, box.shape, strict=True)
        ]
        of_result = [slice(part.start + low, part.stop + low) for part, low in zip(inner, start, strict=True)]
        predicted[tuple(inner)] = result.labels[0][tuple(of_result)]
        return predicted, self._on(box, together), box.spacing

    def _on(self, box: Grid, together: np.ndarray) -> np.ndarray:
        """Labels of the truth, moved by ``together`` (3,) LPS mm, at the voxels of ``box``: of the structure
        that fills most of the voxels of the truth about each.
        """
        window = ndimage.find_objects((self.labels > 0).astype(np.uint8))[0]
        window = tuple(slice(part.start - 1, part.stop + 1) for part in window)
        labels = self.labels[window]
        start = self.grid.position(np.array([part.start for part in window]))
        grid = replace(self.grid, origin=start, shape=labels.shape)
        shares = [(labels == label).astype(np.float32) for label in NAMES]
        out = np.empty(box.shape, np.uint8)
        for z in range(box.shape[0]):
            points = box.plane(z).points() - together
            found = [grid.sample(share, points) for share in shares]
            out[z] = np.argmax([1 - np.sum(found, 0), *found], 0)
        return out


def _lattice_about(lattice: Grid, other: Grid, moved: np.ndarray) -> tuple[Grid, list[int]]:
    """The part of the endless ``lattice`` that holds ``other``, ``moved`` by (3,) LPS mm, and where it
    starts, [z, y, x] in the lattice's voxels.
    """
    ends = np.array(list(product(*((0, size - 1) for size in other.shape))))
    corners = lattice.indices(other.position(ends) + moved)
    low = np.floor(corners.min(0)).astype(int)
    z, y, x = (int(count) for count in np.ceil(corners.max(0)).astype(int) - low + 1)
    return replace(lattice, origin=lattice.position(low), shape=(z, y, x)), low.tolist()


def shape_rows(
    case: str, group: tuple[str, ...], truth: Truth, result: Reconstruction | None, left: np.ndarray
) -> list[Row]:
    """One row a structure. What a reconstruction has beyond the truth's grid counts in its volume and
    pieces."""
    predicted, true, spacing = truth.beside(result, left)
    voxel_ml = float(np.prod(spacing)) / 1000
    rows = []
    for label, name in NAMES.items():
        mask, real = predicted == label, true == label
        distances = surface_distances(mask, real, spacing)
        measured = 0.0 if result is None else result.volumes[0][name]
        values = {
            "Dice": dice(mask, real),
            "ASSD, mm": distances.assd,
            "HD95, mm": distances.hd95,
            "volume error, %": volume_error_percent(measured, real.sum() * voxel_ml),
            "pieces": float("nan") if result is None else float(pieces(result.labels[0] == label)),
        }
        rows.append(Row(case, (name, *group), values, int(is_missing(mask, real))))
    return rows


def heart_row(
    case: str, group: tuple[str, ...], heart: KnownHeart, result: Reconstruction | None, left: np.ndarray
) -> Row:
    """What concerns the heart as a whole."""
    shown = heart.sax_labels[0].any((1, 2))
    values = {
        "shifts, mm": root_mean_square_mm(in_plane(heart.shifts, heart.sax)[shown]),
        "shifts left, mm": root_mean_square_mm(in_plane(left, heart.sax)[shown]),
    }
    if result is not None:
        values["hole in the apex, mm2"] = apex_hole_mm2(result.labels[0], result.grid)
    return Row(case, group, values)


def _in_order(rows: list[Row]) -> tuple[Row, ...]:
    """By structure, then labels, then what shifts are from, so that methods stand together."""
    order = [list(dict.fromkeys(row.group[i] for row in rows)) for i in range(4)]
    return tuple(sorted(rows, key=lambda row: [order[i].index(row.group[i]) for i in range(4)]))


def worst(table: Table) -> Table:
    """One case a line: of every number that of all cases' values which is farthest from the IDEAL."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.group, []).append(row)
    rows = []
    for group, own in groups.items():
        values = {}
        for column in table.columns:
            known = [value for row in own if not np.isnan(value := row.values.get(column.name, np.nan))]
            if known:
                ideal = IDEAL.get(column.name, 0.0)
                values[column.name] = max(known, key=lambda value: abs(value - ideal))
        rows.append(Row("worst", group, values, max(row.empty for row in own)))
    columns = tuple(replace(column, drawn="") for column in table.columns)
    return replace(table, title=f"{table.title}, worst", columns=columns, rows=tuple(rows), notes=(WORST,))
