"""The report's tables: volumes and function, walls, and how the reconstruction was made."""

from __future__ import annotations

from dataclasses import dataclass

from ...anatomy.function import clinical_numbers
from ...anatomy.segments17 import SEGMENTS
from ..record import RunRecord
from .bulls_eye import NOT_KNOWN
from .data import ReportData
from .summary import SHIFT_SOURCES


@dataclass(frozen=True)
class Table:
    """cells: of each row, under ``heads``; the first is the row's name."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def volumes(record: RunRecord) -> Table:
    """Volumes and function of the reconstruction beside those of disc summation."""
    ours = clinical_numbers(record.volumes, record.ed, record.es)
    theirs = clinical_numbers(record.stack_volumes, record.ed, record.es)
    rows = []
    for title, value in ours.items():
        other = theirs.get(title)
        beside = ("", "") if other is None else (f"{other:.1f}", f"{value - other:+.1f}")
        rows.append((title, f"{value:.1f}", *beside))
    return Table(("", "Reconstruction", "Stack, disc summation", "Difference"), tuple(rows))


def walls(record: RunRecord) -> Table | None:
    """The wall's thickness by segment; None where it was not measured."""
    found = record.walls
    columns = {
        "End-diastole, mm": (found.ed, 1),
        "End-systole, mm": (found.es, 1),
        "Thickness, mm": (found.first, 1),
        "Thickening, %": (found.thickening_percent, 0),
    }
    shown = {head: held for head, held in columns.items() if held[0] is not None}
    if not shown:
        return None
    rows = []
    for number, name in enumerate(SEGMENTS, 1):
        values = [(held[name], digits) for held, digits in shown.values() if held is not None]
        cells = (NOT_KNOWN if value is None else f"{value:.{digits}f}" for value, digits in values)
        rows.append((f"{number} {name}", *cells))
    return Table(("", *shown), tuple(rows))


def making(data: ReportData) -> dict[str, dict[str, str]]:
    """How the reconstruction was made, by what it concerns: names and values. What is empty is left out."""
    record = data.record
    model = record.model
    facts = {
        "Method": record.method,
        "Model": model and model.name,
        "Model SHA-256": model and model.sha256,
        "Model licence": model and model.licence,
        "Device": record.device,
        "Precision": record.precision,
        "Steps": record.steps and " + ".join(map(str, record.steps)),
        "Seed": record.seed,
        "Input SHA-256": record.input.sha256,
    }
    tables = {
        "Method": {name: str(value) for name, value in facts.items() if value is not None},
        "Input": input_geometry(data),
        "Left out of the input": left_out(data),
        "Output": output_geometry(data),
        "Slices moved": slice_shifts(data),
        "Time by stage": {name: f"{value:.1f} s" for name, value in record.seconds.items()},
        "Versions": record.versions,
    }
    return {caption: rows for caption, rows in tables.items() if rows}


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
