"""`dmcvr.reconstruct`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.progress import Progress, no_progress
from ..reconstruction.options import ModelChoice, Options
from .given_model import given_model, model_choice
from .results import Result

if TYPE_CHECKING:
    import os

    import numpy as np
    import SimpleITK  # noqa: F401 (Source names it, and the API's page looks it up here)

    from ..io.in_memory import Source
    from ..model.inference import Model

_DEFAULT, _MODEL = Options(), ModelChoice()


def reconstruct(
    source: Source,
    *,
    affine: np.ndarray | None = None,
    labels: Source | None = None,
    label_values: tuple[int, int, int] = (1, 2, 3),
    lax: Sequence[Source] = (),
    frame: str | int = _DEFAULT.frame,
    method: str = _DEFAULT.method,
    spacing: float | None = _DEFAULT.spacing,
    align: str = _DEFAULT.align,
    extrapolate: bool = _DEFAULT.extrapolate,
    fit_cycle: bool = _DEFAULT.fit_cycle,
    keep_acquired: bool = _DEFAULT.keep_acquired,
    optimisation_steps: int = _DEFAULT.optimisation_steps,
    samples: int = _DEFAULT.samples,
    rule: str = _DEFAULT.rule,
    steps: int | None = _DEFAULT.steps,
    stop_log_snr: float = _DEFAULT.stop_log_snr,
    order: int = _DEFAULT.order,
    label_rule: str = _DEFAULT.label_rule,
    seed: int = _DEFAULT.seed,
    model: str | os.PathLike[str] | Model | None = None,
    device: str = _MODEL.device,
    precision: str = _MODEL.precision,
    progress: Progress = no_progress,
) -> Result:
    """Reconstruct a heart in 3D from a short-axis (SAX) cine MR stack.

    ```python
    result = dmcvr.reconstruct("sax.nii.gz", frame="es")
    result.save("result")
    ```

    The source:

    - `source`: the path of a NIfTI, NRRD or MetaImage file or of a DICOM folder; a SimpleITK image of three
      dimensions, or four with time; an array (Z, Y, X) or (T, Z, Y, X) with its `affine`; or a
      `dmcvr.core.stack.Stack`.
    - `affine`: (4, 4), takes voxel indices (x, y, z, 1) to LPS mm, as `Result.grid.affine` does. Of a nibabel
      image, give `image.get_fdata().T` and `np.diag([-1, -1, 1, 1]) @ image.affine`.
    - `labels`: an expert's, of the acquired slices, instead of segmenting: a path, a SimpleITK image, or an
      array like the source's.
    - `label_values`: the numbers in `labels` that stand for LVC, LVM and RVC.
    - `lax`: long-axis images, paths, SimpleITK images or Stacks of one slice: they put slices in register.

    What to reconstruct:

    - `frame`: "ed" or "es", end-diastole or end-systole, found by the LV's volume; "both" of these; "all"; or
      the index of a frame, from 0.
    - `method`: "dmcvr"; or "diffae", "registration", "shape", "bspline", "linear" or "nearest", to compare;
      or "deeprecon", whose own `model` has to be given.
    - `spacing`: mm between slices; None for about the in-plane spacing.
    - `align`: put slices in register by long-axis images ("lax"), by their shapes ("shape"), by both as far
      as there are any ("auto"), or leave all voxels as acquired ("off").
    - `extrapolate`: draw the heart up to a gap beyond the stack where its apex lies there, not half a gap.
    - `fit_cycle`: fit the labels of a cine over the whole beat, not each frame for itself.
    - `keep_acquired`: acquired slices keep their voxels; otherwise they are generated as well.
    - `samples`: of each generated slice, whose spread is the uncertainty; 0 for none.

    How slices are generated:

    - `rule`: how latents of neighbours are combined, "aligned" first, or by eq. 6 of the "paper".
    - `steps`: network calls each way; None for the rule's own number.
    - `stop_log_snr`: log-SNR at which the aligned rule's inversion stops; lower is sharper and less true.
    - `order`: 2 for the multistep sampler, 1 for DDIM.
    - `label_rule`: labels of generated slices by the interpolated shape ("code"), by segmenting the generated
      "image", or by the mean of both ("fused").
    - `optimisation_steps`: of deeprecon, for each slice.
    - `seed`: of what is drawn at random.

    What computes:

    - `model`: a model's folder, or a `dmcvr.model.inference.Model` that is loaded already, with a device and
      precision of its own; None for the shipped one.
    - `device`: "auto", "cpu" or "cuda". `precision`: "auto", "float32" or "bfloat16".
    - `progress`: called with (stage, done, total); an exception raised in it ends the run.

    Raises `dmcvr.InputError`, a plain sentence that says what to do, for sources and values that cannot be
    used.
    """
    from ..io.inputs import read_input
    from ..output.record import make_record
    from ..reconstruction import pipeline

    options = Options(
        method=method, spacing=spacing, frame=frame, rule=rule, steps=steps, stop_log_snr=stop_log_snr,
        order=order, label_rule=label_rule, keep_acquired=keep_acquired, align=align, fit_cycle=fit_cycle,
        extrapolate=extrapolate, optimisation_steps=optimisation_steps, samples=samples, seed=seed,
    )  # fmt: skip
    choice = model_choice(model, device, precision)
    started = time.perf_counter()
    given = read_input(source, lax, labels, label_values, affine)
    drawn = None if labels is None or given.labels is None else _hash(labels, given.labels)
    hashes = _hash(source, given.stack.frames), drawn
    seconds = {"read": time.perf_counter() - started}
    loaded = None
    if given.labels is None or options.needs_model:
        started = time.perf_counter()
        loaded = given_model(model, choice, options)
        seconds["load model"] = time.perf_counter() - started
    heart = pipeline.reconstruct(given.stack, loaded, options, progress, given.labels, given.lax)
    return Result(
        heart, make_record(heart, options, loaded, hashes, given, seconds | heart.seconds), given.lax
    )


def _hash(source: Source, held: np.ndarray) -> str:
    """SHA-256 of a file or folder, or of the values ``held`` of a source in memory."""
    from ..io.in_memory import is_path
    from ..output.record import array_hash, input_hash

    return input_hash(Path(source)) if is_path(source) else array_hash(held)
