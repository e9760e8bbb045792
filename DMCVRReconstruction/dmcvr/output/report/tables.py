"""The report's tables: volumes and function, and how the reconstruction was made."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ...anatomy.function import clinical_numbers
from ...core.labels import LVC, RVC, TITLES
from .chart import volume_curve
from .data import ReportData

FRAMES_FOR_A_CURVE = 4
SHIFT_SOURCES = {
    "lax": "long-axis images",
    "shape": "the slices' shapes",
    "both": "long-axis images and the slices' shapes",
}


def volumes(data: ReportData) -> str:
    """The section with volumes, function and their course over the cycle."""
    record = data.record
    ours = clinical_numbers(record.volumes, record.ed, record.es)
    theirs = clinical_numbers(record.stack_volumes, record.ed, record.es)
    heads = ["Reconstruction", "Stack, disc summation", "Difference"]
    rows = []
    for title, value in ours.items():
        other = theirs.get(title)
        cells = ["", ""] if other is None else [f"{other:.1f}", f"{value - other:+.1f}"]
        rows.append((title, [f"{value:.1f}", *cells]))
    table = (
        "<table><thead><tr><th></th>"
        + "".join(f'<th scope="col" class="number">{head}</th>' for head in heads)
        + "</tr></thead><tbody>"
        + "".join(
            f'<tr><th scope="row">{title}</th>'
            + "".join(f'<td class="number">{c}</td>' for c in cells)
            + "</tr>"
            for title, cells in rows
        )
        + "</tbody></table>"
    )
    note = (
        '<p class="soft">Disc summation counts the end slices for half a gap outward as well; the '
        "reconstruction ends at the end slices, so it is smaller where they still hold a ventricle. "
        "Mass at 1.05 g/ml.</p>"
    )
    return f"<section><h2>Volumes and function</h2>{table}{note}{_curve(data)}</section>"


def _curve(data: ReportData) -> str:
    record = data.record
    if len(record.volumes) < FRAMES_FOR_A_CURVE:
        return ""
    phases = {"ED": record.ed, "ES": record.es}
    marks = {title: frame for title, frame in phases.items() if frame is not None}
    drawing = volume_curve(record.volumes, record.stack_volumes, marks, data.stack.times)
    return (
        f"<h3>Over the cycle</h3>{drawing}"
        f'<p class="soft">Red: {TITLES[LVC]}. Blue: {TITLES[RVC]}. Solid: the reconstruction. '
        "Dashed: the stack by disc summation.</p>"
    )


def making(data: ReportData) -> str:
    """The section on how the reconstruction was made: method, geometry, time and versions."""
    record = data.record
    model = record.model
    facts = {
        "Method": record.method,
        "Model": model and model.name,
        "Model SHA-256": model and model.sha256,
        "Model licence": model and model.licence,
        "Device": record.device,
        "Precision": record.precision,
        "Steps": record.steps,
        "Seed": record.seed,
        "Input SHA-256": record.input.sha256,
    }
    seconds = {name: f"{value:.1f} s" for name, value in record.seconds.items()}
    tables = [
        _facts("Method", facts),
        _facts("Input", input_geometry(data)),
        _facts("Left out of the input", left_out(data)),
        _facts("Output", output_geometry(data)),
        _facts("Slices moved", slice_shifts(data)),
        _facts("Time by stage", seconds),
        _facts("Versions", record.versions),
    ]
    return f'<section><h2>How it was made</h2><div class="facts">{"".join(tables)}</div></section>'


def _facts(caption: str, facts: Mapping[str, object]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th><td>{_value(name, value)}</td></tr>'
        for name, value in facts.items()
        if value is not None
    )
    return f"<div><h3>{caption}</h3><table><tbody>{rows}</tbody></table></div>" if rows else ""


def _value(name: str, value: object) -> str:
    text = escape(str(value))
    return f"<code>{text}</code>" if "SHA" in str(name) else text


def input_geometry(data: ReportData) -> dict[str, str]:
    """The stack in words: slices, pixels, gaps."""
    frames, slices, height, width = data.stack.frames.shape
    x, y = data.stack.spacing
    low, high = data.stack.gaps.min(), data.stack.gaps.max()
    gap = f"{low:.2f} mm" if high - low < 0.05 else f"{low:.2f} to {high:.2f} mm"
    return {
        "Frames": str(frames),
        "Slices": str(slices),
        "Pixels": f"{width} x {height}, {x:.2f} x {y:.2f} mm",
        "Slice to slice": gap,
    }


def slice_shifts(data: ReportData) -> dict[str, str]:
    """By what the slices were put in register, by how much at most, and each slice's shift along rows and
    columns; empty where they were left as they are.
    """
    register = data.record.register
    if register.source == "none":
        return {}
    shifts = {f"Slice {i + 1}": f"{x:+.1f}, {y:+.1f} mm" for i, (x, y) in enumerate(register.shifts_mm)}
    return {"By": SHIFT_SOURCES[register.source], "Largest": f"{register.largest_mm:.1f} mm", **shifts}


def left_out(data: ReportData) -> dict[str, str]:
    """What of the input was not used, by the reason."""
    items = data.record.input.left_out
    return {
        item.reason[:1].upper() + item.reason[1:]: f"{item.count} {item.what}{'' if item.count == 1 else 's'}"
        for item in items
    }


def output_geometry(data: ReportData) -> dict[str, str]:
    """The reconstruction in words: voxels, and how many slices are acquired and generated."""
    z, y, x = data.grid.shape
    real = sum(index is not None for index in data.acquired)
    guessed = len(data.record.geometry.extrapolated)
    beyond = f", {guessed} of these extrapolated" if guessed else ""
    return {
        "Frames": str(len(data.volume)),
        "Voxels": f"{x} x {y} x {z}",
        "Voxel size": " x ".join(f"{step:.2f}" for step in data.grid.spacing) + " mm",
        "Slices": f"{real} acquired, {z - real} generated{beyond}",
    }
