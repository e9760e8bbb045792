"""The report's tables: volumes and function, and how the reconstruction was made."""

from __future__ import annotations

from html import escape

from ...anatomy.function import clinical_numbers
from ...core.labels import LVC, RVC, TITLES
from .chart import volume_curve
from .data import ReportData

FRAMES_FOR_A_CURVE = 4


def volumes(data: ReportData) -> str:
    """The section with volumes, function and their course over the cycle; empty where none were recorded."""
    record = data.record
    if not record.get("volumes"):
        return ""
    ed, es = record.get("ed"), record.get("es")
    ours = clinical_numbers(record["volumes"], ed, es)
    theirs = clinical_numbers(record["stack_volumes"], ed, es) if record.get("stack_volumes") else {}
    heads = ["Reconstruction", *(["Stack, disc summation", "Difference"] if theirs else [])]
    rows = []
    for title, value in ours.items():
        cells = [f"{value:.1f}"]
        if theirs:
            other = theirs.get(title)
            cells += ["", ""] if other is None else [f"{other:.1f}", f"{value - other:+.1f}"]
        rows.append((title, cells))
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
        if theirs
        else '<p class="soft">Mass at 1.05 g/ml.</p>'
    )
    return f"<section><h2>Volumes and function</h2>{table}{note}{_curve(data)}</section>"


def _curve(data: ReportData) -> str:
    volumes, stack_volumes = data.record["volumes"], data.record.get("stack_volumes") or ()
    if len(volumes) < FRAMES_FOR_A_CURVE:
        return ""
    marks = {title: data.record[key] for key, title in (("ed", "ED"), ("es", "ES")) if key in data.record}
    drawing = volume_curve(volumes, stack_volumes, marks, data.stack.times)
    dashed = " Dashed: the stack by disc summation." if stack_volumes else ""
    return (
        f"<h3>Over the cycle</h3>{drawing}"
        f'<p class="soft">Red: {TITLES[LVC]}. Blue: {TITLES[RVC]}. Solid: the reconstruction.{dashed}</p>'
    )


def making(data: ReportData) -> str:
    """The section on how the reconstruction was made: method, geometry, time and versions."""
    record = data.record
    model = record.get("model") or {}
    source = record.get("input") or {}
    facts = {
        "Method": record.get("method"),
        "Model": model.get("name"),
        "Model SHA-256": model.get("sha256"),
        "Model licence": model.get("licence"),
        "Device": record.get("device"),
        "Precision": record.get("precision"),
        "Steps": record.get("steps"),
        "Seed": record.get("seed"),
        "Input SHA-256": source.get("sha256"),
    }
    seconds = {name: f"{value:.1f} s" for name, value in (record.get("seconds") or {}).items()}
    tables = [
        _facts("Method", facts),
        _facts("Input", input_geometry(data)),
        _facts("Output", output_geometry(data)),
        _facts("Time by stage", seconds),
        _facts("Versions", record.get("versions") or {}),
    ]
    return f'<section><h2>How it was made</h2><div class="facts">{"".join(tables)}</div></section>'


def _facts(caption: str, facts: dict) -> str:
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


def output_geometry(data: ReportData) -> dict[str, str]:
    """The reconstruction in words: voxels, and how many slices are acquired and generated."""
    z, y, x = data.grid.shape
    real = sum(index is not None for index in data.acquired)
    return {
        "Frames": str(len(data.volume)),
        "Voxels": f"{x} x {y} x {z}",
        "Voxel size": " x ".join(f"{step:.2f}" for step in data.grid.spacing) + " mm",
        "Slices": f"{real} acquired, {z - real} generated",
    }
