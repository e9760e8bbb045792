"""The report as one HTML file that holds its style and pictures, runs no script and loads nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...anatomy.long_axis import LongAxis, long_axis
from ...core.errors import InputError
from ...core.labels import COLOURS, LVC, LVM, RVC, TITLES
from ..pictures import png
from ..record import RunRecord
from ..templating import data_url, environment
from .beating import beating_heart
from .bulls_eye import BullsEye, bulls_eye
from .chart import Chart, Series, volume_chart
from .data import ReportData
from .summary import function, lights
from .tables import making, volumes, walls
from .view_rows import Panel, Row, lax_rows, slice_panels, surface_panel

VIEW_TITLES = {"2ch": "Two-chamber view", "3ch": "Three-chamber view", "4ch": "Four-chamber view"}
FRAMES_FOR_A_CURVE = 4
THICKNESS_MM, THICKENING_PERCENT = (4.0, 16.0), (0.0, 100.0)
"""Where the colours of the bull's eyes begin and end."""
CAVITIES = {"LVC": LVC, "RVC": RVC}


def write_report(path: str | os.PathLike[str], data: ReportData) -> None:
    """Write the report on ``data`` to ``path``, an .html file of one to four megabytes.

    It names no patient, date or path: of the input only its hash is shown.
    """
    Path(path).write_text(page(data), encoding="utf-8")


def page(data: ReportData) -> str:
    """The whole HTML document for ``data``."""
    axis, without_axis = _axis(data)
    template = environment().get_template("report.html")
    phase = next(iter(data.phases)).lower()
    return template.render(
        record=data.record,
        function=function(data.record),
        lights=lights(data.record, data.guessed_slices),
        curve=_curve(data),
        surfaces=_surfaces(data, axis),
        beating=_beating(data, axis),
        bulls_eyes=_bulls_eyes(data.record),
        without_axis=without_axis,
        views=_views(data, axis),
        has_lax=bool(data.lax),
        slices=[_image(panel) for panel in slice_panels(data, data.shown, axis)],
        slices_title=("from base to apex" if axis else "in the order of the volume")
        + (f", {phase}" if phase else ""),
        volumes=volumes(data.record),
        walls=walls(data.record),
        making=making(data),
        key=_key(),
    )


@dataclass(frozen=True)
class ShownImage:
    """A picture as the page shows it; source: an address that holds it."""

    source: str
    width: int
    height: int
    alt: str
    title: str
    kind: str


@dataclass(frozen=True)
class ShownRow:
    """A row of pictures of one view in one phase."""

    title: str
    images: list[ShownImage]


def _axis(data: ReportData) -> tuple[LongAxis | None, str]:
    """The heart's long axis, or why there is none."""
    try:
        return long_axis(data.labels[data.shown], data.grid), ""
    except InputError as error:
        return None, str(error)


def _image(panel: Panel) -> ShownImage:
    size = panel.image.size
    return ShownImage(data_url(png(panel.image), "image/png"), *size, panel.alt, panel.title, panel.kind)


def _views(data: ReportData, axis: LongAxis | None) -> dict[str, list[ShownRow]]:
    """By view: a row for each phase."""
    views: dict[str, list[ShownRow]] = {}
    if axis is None:
        return views
    for phase, frame in data.phases.items():
        seen: dict[str, int] = {}
        for row in lax_rows(data, frame, axis):
            seen[row.title] = seen.get(row.title, 0) + 1
            views.setdefault(_view_title(row, seen[row.title]), []).append(
                ShownRow(phase, [_image(panel) for panel in row.panels])
            )
    return views


def _view_title(row: Row, number: int) -> str:
    """Of several images of one view all but the first are numbered."""
    title = VIEW_TITLES.get(row.title, row.title)
    return title if number == 1 else f"{title}, image {number}"


def _surfaces(data: ReportData, axis: LongAxis | None) -> list[ShownImage]:
    if axis is None:
        return []
    return [_image(surface_panel(data, phase, frame, axis)) for phase, frame in data.phases.items()]


def _beating(data: ReportData, axis: LongAxis | None) -> dict[str, str] | None:
    made = None if axis is None else beating_heart(data, axis)
    if made is None:
        return None
    return dict(zip(("moving", "still"), (data_url(item, "image/webp") for item in made), strict=True))


def _bulls_eyes(record: RunRecord) -> list[BullsEye]:
    found = record.walls
    thickness = {
        "Wall at end-diastole": found.ed,
        "Wall at end-systole": found.es,
        "Wall": found.first,
    }
    drawn = [
        bulls_eye(values, caption, "mm", THICKNESS_MM, 1) for caption, values in thickness.items() if values
    ]
    if found.thickening_percent is not None:
        drawn.append(bulls_eye(found.thickening_percent, "Thickening", "%", THICKENING_PERCENT))
    return drawn


def _curve(data: ReportData) -> Chart | None:
    """The cavities over the cycle: of the reconstruction where it has all frames, and of disc summation."""
    record, cycle = data.record, data.record.cycle
    if len(record.volumes) >= FRAMES_FOR_A_CURVE:
        tables = (("reconstruction", record.volumes), ("disc summation", record.stack_volumes))
        series = [
            _series(label, title, [frame[name] for frame in frames])
            for title, frames in tables
            for name, label in CAVITIES.items()
        ]
        phases = {"ED": record.ed, "ES": record.es}
        marks = {title: frame for title, frame in phases.items() if frame is not None}
        return volume_chart(series, marks, data.stack.times)
    if cycle is None or len(cycle.lvc_ml) < FRAMES_FOR_A_CURVE:
        return None
    series = [
        _series(label, "disc summation", values)
        for values, label in ((cycle.lvc_ml, LVC), (cycle.rvc_ml, RVC))
        if any(value is not None for value in values)
    ]
    return volume_chart(series, {"ED": cycle.ed_frame, "ES": cycle.es_frame})


def _series(label: int, title: str, values: Sequence[float | None]) -> Series:
    return Series(f"{TITLES[label]}, {title}", _colour(label), values, dashed=title != "reconstruction")


def _colour(label: int) -> str:
    return "rgb({},{},{})".format(*COLOURS[label])


def _key() -> list[tuple[str, str]]:
    """Colours of the outlines and what each goes round."""
    names = {LVC: TITLES[LVC], LVM: "outer edge of the " + TITLES[LVM], RVC: TITLES[RVC]}
    return [(_colour(label), name) for label, name in names.items()]
