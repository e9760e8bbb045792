"""``measurements.csv``: volumes, mass and function, one a row, for spreadsheets and statistics."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..anatomy.function import clinical_numbers
from .record import CycleRecord, RunRecord

MEASUREMENTS = "measurements.csv"
RECONSTRUCTION, ACQUIRED = "reconstruction", "acquired slices"


@dataclass(frozen=True)
class Measurement:
    """One number. frame: of the input, from 0, None for what is of the beat. phase: "ed", "es" or "". source:
    what it was measured in, the reconstruction, or by disc summation in the acquired slices.
    """

    measurement: str
    source: str
    frame: int | None
    phase: str
    value: float
    unit: str


def write_measurements(path: Path, record: RunRecord) -> None:
    """Write all measurements of ``record`` to the CSV file ``path``, numbers to a thousandth."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Measurement)])
        writer.writeheader()
        for item in measurements(record):
            writer.writerow(asdict(item) | {"value": round(item.value, 3)})


def measurements(record: RunRecord) -> Iterator[Measurement]:
    """All measurements of ``record``, frame by frame, then those of the beat."""
    phases = {record.ed: "ed", record.es: "es"}
    of_frames = zip(record.frames, record.volumes, record.stack_volumes, record.mass_g, strict=True)
    for index, (frame, volumes, discs, mass) in enumerate(of_frames):
        phase = phases.get(index, "")
        for source, by_name in ((RECONSTRUCTION, volumes), (ACQUIRED, discs)):
            for name, value in by_name.items():
                yield Measurement(f"{name} volume", source, frame, phase, value, "ml")
        yield Measurement("LV mass", RECONSTRUCTION, frame, phase, mass, "g")
    yield from _walls(record)
    if record.ed is not None and record.es is not None:
        for title, value in clinical_numbers(record.volumes, record.ed, record.es).items():
            name, _, unit = title.rpartition(", ")
            yield Measurement(name, RECONSTRUCTION, None, "", value, unit)
    if (cycle := record.cycle) is not None:
        yield from _by_discs("LV", cycle.edv_ml, cycle.esv_ml, cycle.ef_percent)
        yield from _by_discs("RV", cycle.rv_edv_ml, cycle.rv_esv_ml, cycle.rv_ef_percent)
        for frame, volume in enumerate(cycle.lvc_ml):
            if volume is not None and frame not in record.frames:
                yield Measurement("LVC volume", ACQUIRED, frame, _phase(cycle, frame), volume, "ml")


def _by_discs(side: str, edv: float | None, esv: float | None, ef: float | None) -> Iterator[Measurement]:
    """Function of one ventricle over the cine, as far as it is known."""
    stroke = None if edv is None or esv is None else edv - esv
    for name, value, unit in (
        ("end-diastolic volume", edv, "ml"),
        ("end-systolic volume", esv, "ml"),
        ("stroke volume", stroke, "ml"),
        ("ejection fraction", ef, "%"),
    ):
        if value is not None:
            yield Measurement(f"{side} {name}", ACQUIRED, None, "", value, unit)


def _walls(record: RunRecord) -> Iterator[Measurement]:
    """Thickness and thickening by segment."""
    walls = record.walls
    for index, phase, found in (
        (record.ed, "ed", walls.ed),
        (record.es, "es", walls.es),
        (0, "", walls.first),
    ):
        for name, value in (found or {}).items():
            if index is not None and value is not None:
                title = f"Wall thickness, {name}"
                yield Measurement(title, RECONSTRUCTION, record.frames[index], phase, value, "mm")
    for name, value in (walls.thickening_percent or {}).items():
        if value is not None:
            yield Measurement(f"Wall thickening, {name}", RECONSTRUCTION, None, "", value, "%")


def _phase(cycle: CycleRecord, frame: int) -> str:
    """Of a frame of the input."""
    return {cycle.ed_frame: "ed", cycle.es_frame: "es"}.get(frame, "")
