"""Table 3: every second slice of a real stack withheld, reconstructed, compared with what was acquired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import nan

import numpy as np
from scipy.stats import spearmanr

from ..core.labels import NAMES
from ..core.stack import Stack
from ..model.inference import Model
from ..reconstruction.result import Reconstruction
from .cases import Case
from .methods import Comparison, reconstructions
from .scores import NO_IMAGE, SMOOTHING_MM, ImageScale, dice_by_structure, empty_masks
from .shift import dice_after_shift
from .summary import Column, Row, Table

COLUMNS = (
    *(Column(name, drawn=f"Dice, {name}") for name in NAMES.values()),
    *(Column(f"{name} shifted") for name in NAMES.values()),
    Column("every slice"),
    Column("PSNR dB", 2, drawn="PSNR, dB"),
    Column("SSIM", drawn="SSIM"),
    Column("sharpness", drawn="Sharpness"),
    Column("PSNR dB (whole slice)", 2),
)
UNCERTAINTY_COLUMNS = Column("uncertainty", 4), Column("error", 4), Column("rank correlation")
"""Only where uncertainty is sampled."""
ACQUIRED = "acquired"
NOTES = (
    "LVC, LVM, RVC: Dice on withheld slices whose two neighbours both show the structure in the experts' "
    "labels; shifted: after the best in-plane shift within 6 mm, one for the whole slice; every slice: mean "
    "Dice of the structures on all withheld slices.",
    "PSNR and SSIM: in the 192 mm about the heart, normalised as for the model; whole slice: 99.5th "
    "percentile of the stack. Sharpness: there, mean gradient as a share of the withheld slice's.",
)
UNCERTAINTY_NOTE = (
    "Uncertainty: standard deviation over samples; error: absolute difference from the withheld slice; both "
    f"in the same field of view and normalised alike, smoothed by {SMOOTHING_MM} mm. Rank correlation: of "
    "the two over the pixels of a slice (Spearman)."
)


@dataclass(frozen=True)
class Split:
    """Which slices of a stack are kept and which, between two kept ones, are withheld."""

    kept: np.ndarray
    withheld: np.ndarray

    @classmethod
    def of(cls, count: int) -> Split | None:
        """Every second of ``count`` slices is kept, from the first on; None where nothing lies between."""
        kept = np.arange(0, count, 2)
        return cls(kept, np.arange(1, kept[-1], 2)) if len(kept) > 1 else None


def gap_name(stack: Stack) -> str:
    """The distance between kept slices, to the nearest 10 mm."""
    kept = stack.positions[2] - stack.positions[0]
    return f"{max(10, 10 * round(kept / 10))} mm"


@dataclass(frozen=True)
class Withheld:
    """One stack's withheld slices, cropped to the square about the heart that is scored.

    images: by method, (N, h, w) float in [0, 1]; labels: the same, uint8. Those as acquired and the experts'
        stand first, under ACQUIRED.
    spacing: (x, y) mm.
    """

    case: Case
    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]

    @property
    def spacing(self) -> tuple[float, float]:
        return self.case.stack.spacing


def withheld_slices(case: Case, model: Model | None, comparison: Comparison) -> Withheld | None:
    """What ``case`` withholds beside what every method makes of it; None where it has less than three slices.

    A method that found no heart is left out.
    """
    split = Split.of(len(case.labels))
    if split is None:
        return None
    frame = case.stack.frames[0]
    scale = ImageScale.of(frame, case.labels, case.stack.spacing)
    square = np.ix_(*(np.flatnonzero(scale.window.any(axis)) for axis in (1, 0)))
    images, labels = {ACQUIRED: frame[split.withheld]}, {ACQUIRED: case.labels[split.withheld]}
    for method, result in _without(case, split, model, comparison):
        if result is not None:
            places = [_slice_at(result, position) for position in case.stack.positions[split.withheld]]
            images[method], labels[method] = result.volume[0, places], result.labels[0, places]
    return Withheld(
        case,
        {
            name: np.stack([np.clip(item[square] / scale.inside, 0, 1) for item in stack])
            for name, stack in images.items()
        },
        {name: np.stack([item[square] for item in stack]) for name, stack in labels.items()},
    )


def _without(
    case: Case, split: Split, model: Model | None, comparison: Comparison
) -> Iterator[tuple[str, Reconstruction | None]]:
    """Every method's reconstruction from the slices that are kept."""
    kept = case.stack.select(slices=split.kept)
    spacing = float(case.stack.gaps.mean())
    yield from reconstructions(kept, case.labels[split.kept], model, comparison, spacing)


def withheld_tables(
    cases: Iterable[Case],
    model: Model | None,
    comparison: Comparison,
    done: Callable[[], None] = lambda: None,
) -> list[Table]:
    """Scores of every method on the withheld slices, by the gap between the kept ones.

    Stacks of less than three slices have none and are counted in the notes, as are those whose heart was not
    found in the kept slices: these score Dice 0. Files hold slices at regular places. done: called after each
    case.
    """
    rows, short, missed = [], 0, set()
    for case in cases:
        split = Split.of(len(case.labels))
        if split is None:
            short += 1
        else:
            for method, result in _without(case, split, model, comparison):
                if result is None:
                    missed.add(case.name)
                rows += slice_rows(case, split, method, result)
        done()
    rows.sort(key=lambda row: int(row.group[0].split()[0]))
    columns: tuple[Column, ...] = COLUMNS
    notes: tuple[str, ...] = NOTES
    if comparison.options.samples:
        columns, notes = (
            (*COLUMNS, *UNCERTAINTY_COLUMNS),
            (*NOTES, UNCERTAINTY_NOTE, *slice_correlations(rows)),
        )
    notes = (
        *notes,
        *comparison.notes,
        f"{short} stacks had less than three slices; in {len(missed)} no heart was found (Dice 0, no image).",
    )
    return [Table("Withheld slices", ("kept gap", "method"), columns, tuple(rows), notes)]


def slice_correlations(rows: list[Row]) -> tuple[str, ...]:
    """A sentence a method on whether slices that it is uncertain of are those in which it errs."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if "uncertainty" in row.values:
            pair = row.values["uncertainty"], row.values["error"]
            pairs.setdefault(row.group[1], []).append(pair)
    return tuple(
        f"{method}: over {len(found)} slices, mean uncertainty and mean error have a rank correlation of "
        f"{spearmanr(*zip(*found, strict=True)).statistic:.3f}."
        for method, found in pairs.items()
    )


def slice_rows(case: Case, split: Split, method: str, result: Reconstruction | None) -> list[Row]:
    """One row a withheld slice."""
    frame, group = case.stack.frames[0], (gap_name(case.stack), method)
    scale = ImageScale.of(frame, case.labels, case.stack.spacing)
    rows = []
    for index in split.withheld:
        true, images = case.labels[index], NO_IMAGE
        predicted = np.zeros_like(true)
        if result is not None:
            z = _slice_at(result, case.stack.positions[index])
            predicted, images = result.labels[0, z], scale.scores(result.volume[0, z], frame[index])
            if result.uncertainty is not None:
                spread = result.uncertainty[0, z]
                images |= scale.doubt(spread, result.volume[0, z], frame[index])
        neighbours = case.labels[index - 1], case.labels[index + 1]
        values = {**label_scores(predicted, true, neighbours, case.stack.spacing), **images}
        rows.append(Row(case.name, group, values, empty_masks(predicted, true)))
    return rows


def _slice_at(result: Reconstruction, position: float) -> int:
    """The slice of the reconstruction at ``position`` mm from the first acquired one."""
    step = result.grid.spacing[2]
    # The grid may begin before the stack does.
    begin = (result.grid.origin - result.stack.origins[0]) @ result.stack.normal
    z = round(float(position - begin) / step)
    if abs(begin + z * step - position) > 0.01:
        raise ValueError("a withheld slice lies off the grid of the reconstruction")
    return z


def label_scores(
    predicted: np.ndarray,
    true: np.ndarray,
    neighbours: tuple[np.ndarray, np.ndarray],
    spacing: tuple[float, float],
) -> dict[str, float]:
    """Dice by column name of a withheld slice's labels (H, W), as NOTES says.

    neighbours: the experts' labels of the kept slices on both sides. spacing: (x, y) mm.
    """
    plain, (shifted, _) = dice_by_structure(predicted, true), dice_after_shift(predicted, true, spacing)
    values = {}
    for label, name in NAMES.items():
        between = all((labels == label).any() for labels in neighbours)
        values[name] = plain[name] if between else nan
        values[f"{name} shifted"] = shifted[name] if between else nan
    shown = [plain[name] for name in NAMES.values() if not np.isnan(plain[name])]
    return {**values, "every slice": float(np.mean(shown)) if shown else nan}
