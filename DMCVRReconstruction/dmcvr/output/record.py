"""The JSON record of a run: what was done, with what, to what, and what came out."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..anatomy.function import find_ed_es, mass_g
from ..anatomy.long_axis import long_axis
from ..core.errors import InputError
from ..model.bundle import file_hash

if TYPE_CHECKING:
    from ..model.inference import Model
    from ..reconstruction.options import Options
    from ..reconstruction.result import Reconstruction

LIBRARIES = ("torch", "numpy", "scipy", "SimpleITK", "scikit-image")


def input_hash(path: Path) -> str:
    """SHA-256 of a file, or of the sorted hashes of all files in a folder, so that names do not matter.

    Raises InputError, which names no path, where a file cannot be read.
    """
    path = Path(path)
    try:
        if path.is_file():
            return file_hash(path)
        hashes = sorted(file_hash(item) for item in path.rglob("*") if item.is_file())
    except OSError as error:
        raise InputError("A file of the input cannot be read, or was removed; give it again.") from error
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


@cache
def _versions() -> dict[str, str]:
    """Of this package, Python and the libraries; looking them up takes longer than all else of a record."""
    libraries = {name: version(name) for name in LIBRARIES}
    return {"dmcvr": __version__, "python": platform.python_version(), **libraries}


def make_record(
    result: Reconstruction,
    options: Options,
    model: Model | None,
    input_sha256: str,
    warnings: list[str],
    seconds: dict[str, float],
    labels_sha256: str | None = None,
) -> dict:
    """The contents of result.json. No name, date or path of the input is in it.

    labels_sha256: of the expert labels, where they were given. What does not apply to the method is null.
    ``frames`` are the reconstructed frames of the input, counted from 0. ``ed`` and ``es`` count among these.
    ``cycle`` holds what disc summation gives over the frames of the input. ``long_axis`` says for each
    reconstructed frame where the left ventricle lies (see ``anatomy.LongAxis``; LPS mm), null where a
    ventricle is missing.
    """
    grid, stack, diffusion = result.grid, result.stack, options.method in ("dmcvr", "diffae")
    record = {
        "versions": dict(_versions()),
        "method": options.method,
        "model": None,
        "device": None,
        "precision": None,
        "steps": None,
        "rule": None,
        "stop_log_snr": None,
        "label_rule": None,
        "seed": options.seed,
        "keeps_acquired": True,
        "samples": options.samples or None,
        "uncertainty": _uncertainty(result),
        "input": {
            "sha256": input_sha256,
            "labels_sha256": labels_sha256,
            "frames": len(result.cycle_ml),
            "slices": len(stack.origins),
            "pixels": list(stack.frames.shape[:1:-1]),
            "spacing_mm": [round(value, 6) for value in stack.spacing],
            "gaps_mm": [round(float(gap), 4) for gap in stack.gaps],
        },
        "geometry": {
            "voxels": list(grid.shape[::-1]),
            "spacing_mm": [round(value, 6) for value in grid.spacing],
            "acquired": list(result.acquired),
        },
        "frames": list(result.frames),
        "ed": None,
        "es": None,
        "volumes": result.volumes,
        "stack_volumes": result.stack_volumes,
        "mass_g": [mass_g(volumes["LVM"]) for volumes in result.volumes],
        "ef": result.ejection_fraction,
        "cycle": _cycle(result),
        "long_axis": [_long_axis(result, index) for index in range(len(result.labels))],
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "warnings": [*warnings, *result.warnings],
    }
    if model is not None:
        from ..model.device import describe

        record["model"] = {
            "name": model.card["name"],
            "licence": model.card["licence"],
            "sha256": model.sha256,
        }
        record["device"] = describe(model.device)
        record["precision"] = model.precision
    if diffusion:
        record["steps"] = options.diffusion.calls
        record["rule"] = options.diffusion.rule
        if options.diffusion.rule == "aligned":
            record["stop_log_snr"] = options.diffusion.stop_log_snr
        record["label_rule"] = "code" if labels_sha256 else options.label_rule
        record["keeps_acquired"] = options.keep_acquired
    if record["cycle"] is not None:
        for phase in ("ed", "es"):
            frame = record["cycle"][f"{phase}_frame"]
            if frame in result.frames:
                record[phase] = result.frames.index(frame)
    return record


def _uncertainty(result: Reconstruction) -> list[list[float | None]] | None:
    """By frame and slice the mean uncertainty within the heart, in intensities; null where there is none."""
    if result.uncertainty is None:
        return None
    return [
        [
            round(float(spread[labels > 0].mean()), 4) if labels.any() else None
            for spread, labels in zip(*frame, strict=True)
        ]
        for frame in zip(result.uncertainty, result.labels, strict=True)
    ]


def _cycle(result: Reconstruction) -> dict | None:
    """End-diastole and end-systole by disc summation, if every frame of a cine was segmented."""
    if len(result.cycle_ml) < 2 or None in result.cycle_ml:
        return None
    ed, es = find_ed_es(result.cycle_ml)
    edv, esv = result.cycle_ml[ed], result.cycle_ml[es]
    return {
        "ed_frame": ed,
        "es_frame": es,
        "edv_ml": edv,
        "esv_ml": esv,
        "ef_percent": 100 * (edv - esv) / edv if edv > 0 else None,
        "lvc_ml": list(result.cycle_ml),
    }


def _long_axis(result: Reconstruction, index: int) -> dict[str, list[float]] | None:
    try:
        axis = long_axis(result.labels[index], result.grid)
    except InputError:
        return None
    return {name: [round(float(v), 6) for v in getattr(axis, name)] for name in ("centre", "apex", "rv")}
