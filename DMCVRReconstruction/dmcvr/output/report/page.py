"""The report as one HTML file that holds its style and pictures, runs no script and loads nothing."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path

from ...anatomy.long_axis import LongAxis, long_axis
from ...core.errors import InputError
from ...core.labels import COLOURS, LVC, LVM, RVC, TITLES
from ..page_style import STYLE
from ..pictures import png
from ..record import RunRecord
from .data import ReportData
from .tables import making, volumes
from .view_rows import Panel, lax_rows, slice_panels

VIEW_TITLES = {"2ch": "Two-chamber view", "3ch": "Three-chamber view", "4ch": "Four-chamber view"}


def write_report(path: str | os.PathLike[str], data: ReportData) -> None:
    """Write the report on ``data`` to ``path``, an .html file of one to three megabytes.

    It names no patient, date or path: of the input only its hash is shown.
    """
    Path(path).write_text(page(data), encoding="utf-8")


def page(data: ReportData) -> str:
    """The whole HTML document for ``data``."""
    body = "".join(
        [
            _head(data.record),
            _warnings(data.record.warnings),
            _pictures(data),
            volumes(data),
            making(data),
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Short-axis cine MR in 3D: report</title><style>{STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _head(record: RunRecord) -> str:
    model = record.model
    weights = f" The model's weights are licensed {escape(model.licence)}." if model else ""
    return (
        "<header><h1>Short-axis cine MR, reconstructed in 3D</h1>"
        '<div class="notice" role="note"><strong>For research use only.</strong> Not a medical device; not '
        "for diagnosis or treatment decisions. Generated slices show what is likely between the acquired "
        f"ones, not what was measured.{weights}</div></header>"
    )


def _warnings(warnings: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(str(warning))}</li>" for warning in warnings)
    return (
        f'<div class="warnings" role="alert"><strong>Warnings</strong><ul>{items}</ul></div>' if items else ""
    )


def _key() -> str:
    names = {LVC: TITLES[LVC], LVM: "outer edge of the " + TITLES[LVM], RVC: TITLES[RVC]}
    items = "".join(
        f'<li><i style="background:rgb{COLOURS[label]}"></i>{escape(name)}</li>'
        for label, name in names.items()
    )
    return f'<ul class="key" aria-label="Colours of the outlines">{items}</ul>'


def _figure(panel: Panel) -> str:
    source = "data:image/png;base64," + base64.b64encode(png(panel.image)).decode()
    kind = ' class="acquired"' if panel.acquired else ""
    size = f'width="{panel.image.width}" height="{panel.image.height}"'
    return (
        f'<figure{kind}><img src="{source}" {size} alt="{escape(panel.alt)}">'
        f"<figcaption>{escape(panel.title)}</figcaption></figure>"
    )


def _pictures(data: ReportData) -> str:
    first = next(iter(data.phases.values()))
    parts = ["<section><h2>Long-axis views</h2>"]
    try:
        axis: LongAxis | None = long_axis(data.labels[first], data.grid)
    except InputError as error:
        axis = None
        parts.append(f"<p>{escape(str(error))}</p>")
    if axis is not None:
        real = " A row with a real long-axis image lies in that image's plane." if data.lax else ""
        parts.append(
            '<p class="soft">Apex at the top. On the left: right ventricle (four-chamber), inferior wall '
            f"(two-chamber), inferolateral wall (three-chamber).{real}</p>{_key()}"
        )
        for phase, frame in data.phases.items():
            for row in lax_rows(data, frame, axis):
                title = VIEW_TITLES.get(row.title, row.title) + (f", {phase.lower()}" if phase else "")
                kind = "row three" if len(row.panels) == 3 else "row"
                figures = "".join(map(_figure, row.panels))
                parts.append(f'<h3>{escape(title)}</h3><div class="{kind}">{figures}</div>')
    panels = slice_panels(data, first, axis)
    if panels:
        phase = next(iter(data.phases))
        order = "from base to apex" if axis else "in the order of the volume"
        title = "Slices " + order + (f", {phase.lower()}" if phase else "")
        parts.append(
            f'<h2>{title}</h2><p class="soft">Framed: acquired. Plain: generated.</p>{_key()}'
            f'<div class="slices">{"".join(map(_figure, panels))}</div>'
        )
    return "".join(parts) + "</section>"
