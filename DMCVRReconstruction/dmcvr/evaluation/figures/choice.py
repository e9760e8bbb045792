"""Which figures a table or an examination gets, and which cases they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...core.progress import Progress
from ...model.inference import Model
from ...reconstruction.result import Reconstruction
from ...simulation.phantom import Examination
from ..agreement import is_agreement
from ..cases import Case
from ..compared_cuts import LaxImage, cut_views
from ..examples import OWN, example_cases, examples
from ..generation import Generators, regenerated
from ..methods import Comparison, reconstructions
from ..real_examination import ExaminedFrame
from ..summary import Table, case_means
from ..whole_heart import Conditions, KnownHeart, Truth, scanned_reconstructions, slice_labels
from ..withheld import withheld_slices
from .agreement import agreement_drawings
from .boxes import box_drawing
from .drawing import Drawing
from .outlines import outline_drawing
from .real_views import view_drawing
from .slices import slice_drawing
from .style import title_of
from .surfaces import Solid, surface_drawing
from .withheld import spectra_drawing, withheld_drawing

EXAMPLE = "{rank} of {count} cases ({case}), by mean Dice of LVC, LVM and RVC and by nothing else"
AGAINST = "nearest"
"""The method that the paper's Fig. 4 sets beside its own."""


def table_drawings(tables: Iterable[Table]) -> Iterator[Drawing]:
    """Bland-Altman plots of tables of agreement, box plots of the others."""
    for table in tables:
        if is_agreement(table):
            yield from agreement_drawings(table)
        elif (boxes := box_drawing(table)) is not None:
            yield boxes


def slice_drawings(
    table: Table,
    cases: Iterable[Case],
    generators: Generators,
    methods: tuple[str, ...],
    steps: int | None,
    progress: Progress,
) -> Iterator[Drawing]:
    """The best, the median and the worst case of the table of generated slices, regenerated once more."""
    ranks = example_cases(table, "Dice")
    for number, case in enumerate(case for case in cases if case.name in ranks):
        item = regenerated(case, generators, methods, steps)
        rank = ranks[case.name]
        yield slice_drawing(f"slices-{rank}", _title(table, rank, case.name), item)
        progress("figures", number + 1, len(ranks))


def withheld_drawings(
    table: Table, cases: Iterable[Case], model: Model | None, comparison: Comparison, progress: Progress
) -> Iterator[Drawing]:
    """The best, the median and the worst case of the table of withheld slices, reconstructed once more, and
    the power spectra of all three.
    """
    ranks = example_cases(table, "every slice")
    items = []
    for number, case in enumerate(case for case in cases if case.name in ranks):
        item = withheld_slices(case, model, comparison)
        assert item is not None  # the table has no row of a case without withheld slices
        rank = ranks[case.name]
        yield withheld_drawing(f"slices-{rank}", _title(table, rank, case.name), item)
        items.append(item)
        progress("figures", number + 1, len(ranks))
    if items:
        yield spectra_drawing(items)


def view_drawings(
    table: Table,
    phantoms: Iterable[tuple[str, Examination]],
    model: Model | None,
    comparison: Comparison,
    progress: Progress,
) -> Iterator[Drawing]:
    """The best, the median and the worst phantom of the table of long-axis views, reconstructed once more, by
    nearest neighbour and DMCVR, or the last of the methods compared; none of one whose heart was missed.
    """
    ranks = example_cases(table, "average")
    shown: tuple[str, ...] = (AGAINST, OWN)
    if not set(shown) <= set(comparison.methods):
        shown = comparison.methods[-2:]
    chosen = replace(comparison, methods=shown)
    for number, (name, phantom) in enumerate(item for item in phantoms if item[0] in ranks):
        made = reconstructions(phantom.sax, phantom.sax_labels[0], model, chosen)
        results = {method: result for method, result in made if result is not None}
        if results:
            lax = [LaxImage(stack, phantom.lax_labels[view][0, 0]) for view, stack in phantom.lax.items()]
            rank = ranks[name]
            yield view_drawing(f"views-{rank}", _title(table, rank, name), cut_views(results, lax))
        progress("figures", number + 1, len(ranks))


def whole_drawings(
    table: Table,
    hearts: Iterable[tuple[str, KnownHeart]],
    model: Model | None,
    comparison: Comparison,
    conditions: Conditions,
    progress: Progress,
) -> Iterator[Drawing]:
    """The best, the median and the worst heart of the table of shapes, reconstructed once more: by the first
    method and the first source of shifts, and by the last of both that are not the truth; and its truth. None
    of one whose heart was missed.
    """
    drawn, sources = conditions.labels[0], [item for item in conditions.shifts_from if item != "truth"]
    if not sources:
        return
    before, after = (comparison.methods[0], sources[0]), (comparison.methods[-1], sources[-1])
    own = [row for row in table.rows if row.group[1:] == (drawn, after[1], after[0])]
    ranks = examples(case_means(own, "Dice"))
    shown = [(number, *item) for number, item in enumerate(hearts) if item[0] in ranks]
    for done, (number, name, heart) in enumerate(shown, start=1):
        labels = slice_labels(heart, drawn, number, model)
        solids = []
        for method, source in dict.fromkeys([before, after]):
            chosen = replace(comparison, methods=(method,))
            ((_, made, _),) = scanned_reconstructions(heart, labels, source, model, chosen)
            if made is not None:
                heading = f"{title_of(method)}\nshifts from: {source}"
                solids.append(Solid(heading, made.labels[0], made.grid))
        if solids:
            truth = Truth.of(heart)
            solids.append(Solid("Truth\n", truth.labels, truth.grid))
            rank = ranks[name]
            yield surface_drawing(f"surfaces-{rank}", _title(table, rank, name), solids)
        progress("figures", done, len(shown))


def whole_stack_drawings(
    table: Table, cases: Iterable[Case], model: Model | None, comparison: Comparison, progress: Progress
) -> Iterator[Drawing]:
    """Of real stacks, by how far the last method's volumes are from disc summation: the best, the median and
    the worst, reconstructed once more by every method.
    """
    own = [row for row in table.rows if row.group[1] == comparison.methods[-1]]
    off = case_means(own, "volume over disc summation")
    ranks = examples({name: -abs(value - 1) for name, value in off.items()})
    for number, case in enumerate(case for case in cases if case.name in ranks):
        made = reconstructions(case.stack, case.labels, model, comparison)
        solids = [
            Solid(title_of(method), result.labels[0], result.grid)
            for method, result in made
            if result is not None
        ]
        rank = ranks[case.name]
        title = f"{rank.capitalize()} of {len(off)} stacks ({case.name}), by volume over disc summation"
        yield surface_drawing(f"surfaces-{rank}", title, solids)
        progress("figures", number + 1, len(ranks))


def cycle_drawings(results: Mapping[str, Reconstruction]) -> Iterator[Drawing]:
    """A cine's heart by every method, at the largest and the smallest LVC of the last; none where it has no
    volume.

    results: of all frames, by method.
    """
    lvc = [volumes["LVC"] for volumes in list(results.values())[-1].volumes]
    if not max(lvc):
        return
    for phase, frame in (("ED", int(np.argmax(lvc))), ("ES", int(np.argmin(lvc)))):
        solids = [Solid(title_of(name), made.labels[frame], made.grid) for name, made in results.items()]
        title = f"The cine's heart in {phase}, frame {frame + 1} of {len(lvc)}"
        yield surface_drawing(f"surfaces-{phase}", title, solids)


def examination_drawings(examined: Sequence[ExaminedFrame]) -> Iterator[Drawing]:
    """Of every frame the long-axis views and the outlines on its slices."""
    for item in examined:
        title = f"F{item.name[1:]}"
        yield view_drawing(f"frame{item.frame:03d}-long-axis", title, item.cuts())
        name = f"frame{item.frame:03d}-short-axis"
        yield outline_drawing(name, title, item.stack, item.labels, item.points)


def _title(table: Table, rank: str, case: str) -> str:
    count = len({row.case for row in table.rows})
    return EXAMPLE.format(rank=rank.capitalize(), count=count, case=case)
