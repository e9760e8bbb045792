"""The public API: `reconstruct` and `segment`, and what they give.

A thin door: the pipeline (`reconstruction.pipeline`) does the work, the command line comes through here as
well. Nothing heavy is imported before something runs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .core.progress import Progress, no_progress
from .output.result_formats import Formats
from .reconstruction.options import ModelChoice, Options

if TYPE_CHECKING:
    import os

    import numpy as np
    import SimpleITK as sitk

    from .anatomy.surfaces import Surface
    from .core.geometry import Grid
    from .core.stack import Stack
    from .io.in_memory import Source
    from .model.inference import Model
    from .output.record import RunRecord
    from .reconstruction.result import Reconstruction

_DEFAULT, _MODEL, _FORMATS = Options(), ModelChoice(), Formats()


@dataclass(frozen=True, repr=False)
class Result:
    """A reconstructed heart.

    - `heart`: all that the pipeline gives, see `dmcvr.reconstruction.result.Reconstruction`.
    - `record`: what `result.json` holds: volumes, function, shifts of slices, options, versions, warnings.
    - `lax`: the long-axis images that were used.
    """

    heart: Reconstruction
    record: RunRecord
    lax: tuple[Stack, ...] = ()

    @property
    def volume(self) -> np.ndarray:
        """(T, Z, Y, X) float32, intensities as in the source."""
        return self.heart.volume

    @property
    def labels(self) -> np.ndarray:
        """(T, Z, Y, X) uint8: 0 background, 1 LVC, 2 LVM, 3 RVC."""
        return self.heart.labels

    @property
    def grid(self) -> Grid:
        """Where the voxels lie; `grid.affine` takes (x, y, z, 1) to LPS mm."""
        return self.heart.grid

    def surfaces(self) -> dict[str, Surface]:
        """LV endocardium, LV epicardium and RV endocardium as closed triangle meshes, by the names
        "lv_endocardium", "lv_epicardium" and "rv_endocardium".

        Each has `points` (T, N, 3), LPS mm, the same vertices in every frame, and `triangles` (M, 3),
        oriented outward. They enclose the volumes of the labels. Raises InputError where the extra "meshes"
        is not installed.
        """
        from .anatomy.surfaces import surfaces

        return surfaces(self.labels, self.grid, self.record.ed or 0)

    def to_sitk(self) -> tuple[sitk.Image, sitk.Image]:
        """Volume and labels as SimpleITK images: of three dimensions for one frame, of four for several, the
        fourth being time in ms.
        """
        from .io.in_memory import to_sitk

        times = self.heart.stack.times
        return to_sitk(self.volume, self.grid, times), to_sitk(self.labels, self.grid, times)

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        format: str = _FORMATS.images,
        meshes: str | None = _FORMATS.meshes,
    ) -> None:
        """Write what `dmcvr reconstruct` writes into `folder`: whole, or not at all.

        - `format`: "nrrd" or "nifti", of volume, labels and uncertainty.
        - `meshes`: "vtp", "stl" or "ply" for surfaces of the ventricles as well, see `surfaces`.

        Raises InputError where a file there is not of this program, or the folder cannot be written to.
        """
        from .output.files import result_folder, write_reconstruction

        formats = Formats(format, meshes)
        with result_folder(Path(folder)) as staged:
            write_reconstruction(staged, self.heart, self.record, self.lax, formats)

    def __repr__(self) -> str:
        frames, *shape = self.volume.shape
        size = " x ".join(str(count) for count in reversed(shape))
        spacing = " x ".join(f"{step:.2f}" for step in self.grid.spacing)
        volumes = ", ".join(f"{name} {ml:.0f} ml" for name, ml in self.record.volumes[0].items())
        return (
            f"<dmcvr.Result by {self.record.method}: {frames} frame{'s' if frames > 1 else ''} of {size} "
            f"voxels of {spacing} mm; {volumes}>"
        )


@dataclass(frozen=True, repr=False)
class Segmentation:
    """Labels of the acquired slices.

    - `labels`: (T, Z, Y, X) uint8: 0 background, 1 LVC, 2 LVM, 3 RVC.
    - `grid`: where the voxels lie, the source's own grid.
    - `times`: (T,) ms, or None where the source does not say.
    - `notes`: plain sentences on what is odd about the source.
    """

    labels: np.ndarray
    grid: Grid
    times: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def to_sitk(self) -> sitk.Image:
        """The labels as a SimpleITK image of three dimensions, or of four for a cine."""
        from .io.in_memory import to_sitk

        return to_sitk(self.labels, self.grid, self.times)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the labels to `path`, .nrrd, .nii or .nii.gz. Raises InputError for other names, and where a
        file lies there that is not of this program.
        """
        from .io.image_writer import write_frames
        from .output.files import label_file

        with label_file(Path(path)) as staged:
            write_frames(staged, self.labels, self.grid, self.times, labels=True)

    def __repr__(self) -> str:
        frames, slices, height, width = self.labels.shape
        return (
            f"<dmcvr.Segmentation: {slices} slices of {width} x {height} pixels in {frames} "
            f"frame{'s' if frames > 1 else ''}>"
        )


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
    - `align`: put slices in register by long-axis images ("lax"), by their shapes ("shape"), by the first of
      these that there is ("auto"), or leave all voxels as acquired ("off").
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
    from .io.inputs import read_input
    from .output.record import make_record
    from .reconstruction import pipeline

    options = Options(
        method=method, spacing=spacing, frame=frame, rule=rule, steps=steps, stop_log_snr=stop_log_snr,
        order=order, label_rule=label_rule, keep_acquired=keep_acquired, align=align, fit_cycle=fit_cycle,
        extrapolate=extrapolate, optimisation_steps=optimisation_steps, samples=samples, seed=seed,
    )  # fmt: skip
    choice = _choice(model, device, precision)
    started = time.perf_counter()
    given = read_input(source, lax, labels, label_values, affine)
    drawn = None if labels is None or given.labels is None else _hash(labels, given.labels)
    hashes = _hash(source, given.stack.frames), drawn
    seconds = {"read": time.perf_counter() - started}
    loaded = None
    if given.labels is None or options.needs_model:
        started = time.perf_counter()
        loaded = _loaded(model, choice, options)
        seconds["load model"] = time.perf_counter() - started
    heart = pipeline.reconstruct(given.stack, loaded, options, progress, given.labels, given.lax)
    return Result(
        heart, make_record(heart, options, loaded, hashes, given, seconds | heart.seconds), given.lax
    )


def segment(
    source: Source,
    *,
    affine: np.ndarray | None = None,
    model: str | os.PathLike[str] | Model | None = None,
    device: str = _MODEL.device,
    precision: str = _MODEL.precision,
    progress: Progress = no_progress,
) -> Segmentation:
    """Label LVC, LVM and RVC in the acquired slices of a short-axis (SAX) stack, in all of its frames.

    ```python
    dmcvr.segment("sax.nii.gz").save("labels.nrrd")
    ```

    All arguments are as of `reconstruct`. Raises `dmcvr.InputError` for sources that cannot be used, and for
    slices that lie at irregular places, which one image cannot hold.
    """
    import numpy as np

    from .io.inputs import grid_of, read_input
    from .reconstruction.stack_labels import label_slices

    choice = _choice(model, device, precision)
    given = read_input(source, affine=affine)
    stack = given.stack
    grid = grid_of(source, stack, affine)
    labels, notes = label_slices(stack, _loaded(model, choice), "all", progress)
    if grid.step_z @ stack.normal < 0:  # a left-handed source; a Stack is sorted the other way
        labels = np.ascontiguousarray(labels[:, ::-1])
    return Segmentation(labels, grid, stack.times, (*given.notes, *notes))


def _hash(source: Source, held: np.ndarray) -> str:
    """SHA-256 of a file or folder, or of the values ``held`` of a source in memory."""
    from .io.in_memory import is_path
    from .output.record import array_hash, input_hash

    return input_hash(Path(source)) if is_path(source) else array_hash(held)


def _choice(model: str | os.PathLike[str] | Model | None, device: str, precision: str) -> ModelChoice:
    """What a caller named to compute with. Raises InputError for devices and precisions there are not."""
    from .io.in_memory import is_path

    return ModelChoice(str(model) if is_path(model) else None, device, precision)


def _loaded(
    model: str | os.PathLike[str] | Model | None, choice: ModelChoice, options: Options = _DEFAULT
) -> Model:
    """The model that a caller has loaded, or chosen."""
    from .model.inference import Model
    from .reconstruction.models import load_model

    if isinstance(model, Model):
        return model
    return load_model(options, choice)
