"""The JSON record of a run: what was done, with what, to what, and what came out."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from ..anatomy.function import ejection_fraction, mass_g
from ..anatomy.long_axis import long_axis
from ..core.errors import InputError
from ..io.inputs import Input
from ..model.bundle import file_hash
from ..system.walk import files_below
from .wall_record import WallsRecord, measure_walls

if TYPE_CHECKING:
    from ..model.inference import Model
    from ..reconstruction.options import Options
    from ..reconstruction.result import Reconstruction

LIBRARIES = ("torch", "numpy", "scipy", "SimpleITK", "scikit-image", "nibabel", "pynrrd")


def input_hash(path: Path) -> str:
    """SHA-256 of a file, or of the sorted hashes of all files in a folder, so that names do not matter. Files
    that may not be read do not count.

    Raises InputError, which names no path, where a file cannot be read.
    """
    path = Path(path)
    try:
        if path.is_file():
            return file_hash(path)
        hashes = sorted(file_hash(item) for item in files_below(path) if os.access(item, os.R_OK))
    except OSError as error:
        raise InputError("A file of the input cannot be read, or was removed; give it again.") from error
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def array_hash(array: np.ndarray) -> str:
    """SHA-256 of an array in memory: of its type, shape and values."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}\n".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@cache
def _versions() -> dict[str, str]:
    """Of this package, Python and the libraries; looking them up takes longer than all else of a record."""
    libraries = {name: version(name) for name in LIBRARIES}
    return {"dmcvr": __version__, "python": platform.python_version(), **libraries}


@dataclass(frozen=True)
class ModelRecord:
    """The model that computed: its card's name and licence, and one hash of its weights."""

    name: str
    licence: str
    sha256: str


@dataclass(frozen=True)
class LeftOutRecord:
    """What of the input was not used: how many files, images or slices, and why."""

    what: str
    count: int
    reason: str


@dataclass(frozen=True)
class InputRecord:
    """The stack that was read, the hashes of its files and of the expert labels, if there were any, and what
    was not used.
    """

    sha256: str
    labels_sha256: str | None
    frames: int
    slices: int
    pixels: list[int]
    spacing_mm: list[float]
    gaps_mm: list[float]
    left_out: list[LeftOutRecord]


@dataclass(frozen=True)
class GeometryRecord:
    """The output grid, (x, y, z), and the acquired slice that lies at each z, null where it was generated.

    extrapolated: which z lie further beyond the acquired slices than the half gap for which an end slice
    stands: shape and voxels there are guesses.
    """

    voxels: list[int]
    spacing_mm: list[float]
    acquired: list[int | None]
    extrapolated: list[int]


@dataclass(frozen=True)
class RegisterRecord:
    """By how much each slice was moved back in its plane, (x, y) mm along its rows and columns, by what, and
    the largest of these shifts. source: "lax", "shape", "both", or "none" where slices were left as they
    are.
    """

    source: str
    shifts_mm: list[list[float]]
    largest_mm: float


@dataclass(frozen=True)
class CycleRecord:
    """What disc summation gives over the frames of the input; up to the valve planes, where labels were
    ``fitted`` over the whole beat. End-diastole and end-systole are the LV's, for the RV as well.
    """

    ed_frame: int
    es_frame: int
    edv_ml: float
    esv_ml: float
    ef_percent: float | None
    rv_edv_ml: float | None
    rv_esv_ml: float | None
    rv_ef_percent: float | None
    lvc_ml: list[float | None]
    rvc_ml: list[float | None]
    fitted: bool


@dataclass(frozen=True)
class LongAxisRecord:
    """Where the left ventricle lies, LPS mm; see ``long_axis.LongAxis``."""

    centre: list[float]
    apex: list[float]
    rv: list[float]


@dataclass(frozen=True)
class RunRecord:
    """The contents of result.json. No name, date or path of the input is in it.

    What does not apply to the method is null. ``steps`` are the network calls of an inversion and of a
    generation, or the steps of an optimisation. ``frames`` are the reconstructed frames of the input, counted
    from 0, ``left_out`` those that show no heart; ``ed`` and ``es`` count among ``frames``. ``volumes`` and
    ``stack_volumes``, in ml by structure, hold a table for each of them, ``mass_g`` a number, ``long_axis``
    null where a ventricle is missing. ``uncertainty`` is, by frame and slice, the mean within the heart, in
    intensities.
    """

    versions: dict[str, str]
    method: str
    model: ModelRecord | None
    device: str | None
    precision: str | None
    steps: list[int] | None
    rule: str | None
    stop_log_snr: float | None
    label_rule: str | None
    seed: int
    keeps_acquired: bool
    samples: int | None
    uncertainty: list[list[float | None]] | None
    input: InputRecord
    geometry: GeometryRecord
    register: RegisterRecord
    frames: list[int]
    left_out: list[int]
    ed: int | None
    es: int | None
    volumes: list[dict[str, float]]
    stack_volumes: list[dict[str, float]]
    mass_g: list[float]
    ef: float | None
    cycle: CycleRecord | None
    walls: WallsRecord
    long_axis: list[LongAxisRecord | None]
    seconds: dict[str, float]
    warnings: list[str]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON holds it."""
        return asdict(self)


def make_record(
    result: Reconstruction,
    options: Options,
    model: Model | None,
    hashes: tuple[str, str | None],
    given: Input,
    seconds: dict[str, float],
) -> RunRecord:
    """The record of a run.

    hashes: SHA-256 of the input and of the expert labels, where they were given.
    given: the input; its notes and the result's warnings are the record's.
    """
    cycle = _cycle(result)
    at_ed, at_es = (None, None) if cycle is None else (cycle.ed_frame, cycle.es_frame)
    ed = result.frames.index(at_ed) if at_ed in result.frames else None
    es = result.frames.index(at_es) if at_es in result.frames else None
    generates, volumes = options.generates, result.volumes
    aligned = generates and options.rule_in_force == "aligned"
    label_rule = "code" if hashes[1] else options.label_rule
    return RunRecord(
        versions=dict(_versions()),
        method=options.method,
        model=None if model is None else _model(model, options),
        device=None if model is None else model.description,
        precision=None if model is None else model.precision,
        steps=_steps(options),
        rule=options.rule_in_force if generates else None,
        stop_log_snr=options.stop_log_snr if aligned else None,
        label_rule=label_rule if generates else None,
        seed=options.seed,
        keeps_acquired=options.keep_acquired or not options.needs_model,
        samples=options.samples or None,
        uncertainty=_uncertainty(result),
        input=_input(result, hashes, given),
        geometry=_geometry(result),
        register=_register(result),
        frames=list(result.frames),
        left_out=list(result.left_out),
        ed=ed,
        es=es,
        volumes=volumes,
        stack_volumes=result.stack_volumes,
        mass_g=[mass_g(item["LVM"]) for item in volumes],
        ef=result.ejection_fraction,
        cycle=cycle,
        walls=measure_walls(result.labels, result.grid, ed, es),
        long_axis=[_long_axis(result, index) for index in range(len(result.labels))],
        seconds={stage: round(value, 3) for stage, value in seconds.items()},
        warnings=[*given.notes, *result.warnings],
    )


def _model(model: Model, options: Options) -> ModelRecord:
    """The model whose slices these are; that which labels for the method ``deeprecon`` is the version's."""
    drawn = model.deeprecon if options.method == "deeprecon" and model.deeprecon else model
    return ModelRecord(drawn.card["name"], drawn.card["licence"], drawn.sha256)


def _steps(options: Options) -> list[int] | None:
    if options.method == "deeprecon":
        return [options.optimisation_steps]
    return list(options.calls) if options.generates else None


def _input(result: Reconstruction, hashes: tuple[str, str | None], given: Input) -> InputRecord:
    stack = result.stack
    return InputRecord(
        sha256=hashes[0],
        labels_sha256=hashes[1],
        frames=len(result.cycle_ml),
        slices=len(stack.origins),
        pixels=list(stack.frames.shape[:1:-1]),
        spacing_mm=[round(value, 6) for value in stack.spacing],
        gaps_mm=[round(float(gap), 4) for gap in stack.gaps],
        left_out=[LeftOutRecord(item.what, item.count, item.reason) for item in given.left_out],
    )


def _geometry(result: Reconstruction) -> GeometryRecord:
    return GeometryRecord(
        voxels=list(result.grid.shape[::-1]),
        spacing_mm=[round(value, 6) for value in result.grid.spacing],
        acquired=list(result.acquired),
        extrapolated=[z for z, guessed in enumerate(result.extrapolated) if guessed],
    )


def _register(result: Reconstruction) -> RegisterRecord:
    shifts = result.shifts
    rounded = [[round(float(value), 3) for value in shift] for shift in shifts.mm]
    return RegisterRecord(shifts.source, rounded, round(shifts.largest, 3))


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


def _cycle(result: Reconstruction) -> CycleRecord | None:
    """End-diastole and end-systole by disc summation, where they are known."""
    if result.phases is None:
        return None
    ed, es = result.phases
    left, right = result.cycle_ml, result.cycle_rv_ml or (None,) * len(result.cycle_ml)
    known = {t: value for t, value in enumerate(left) if value is not None}
    return CycleRecord(
        ed_frame=ed,
        es_frame=es,
        edv_ml=known[ed],
        esv_ml=known[es],
        ef_percent=_ef(known[ed], known[es]),
        rv_edv_ml=right[ed],
        rv_esv_ml=right[es],
        rv_ef_percent=_ef(right[ed], right[es]),
        lvc_ml=list(left),
        rvc_ml=list(right),
        fitted=result.cycle_fitted,
    )


def _ef(edv: float | None, esv: float | None) -> float | None:
    return None if not edv or esv is None else ejection_fraction(edv, esv)


def _long_axis(result: Reconstruction, index: int) -> LongAxisRecord | None:
    try:
        axis = long_axis(result.labels[index], result.grid)
    except InputError:
        return None
    return LongAxisRecord(*([round(float(v), 6) for v in part] for part in (axis.centre, axis.apex, axis.rv)))
