"""Table 1 of the paper: what is left of a slice after inversion and regeneration, by segmenting it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ..anatomy.signed_distances import nested_distances
from ..core.errors import InputError
from ..core.geometry import sample_plane
from ..core.stack import Stack
from ..model.deeprecon_model import DeepReconModel
from ..model.inference import Model
from ..model.morphology import REACH_MM
from ..reconstruction.deeprecon_method import decode_between, find_codes
from ..reconstruction.heart_window import Window, window_about
from ..reconstruction.latents import AcquiredSlices, TargetSlices, invert_slices
from ..reconstruction.options import Options
from ..reconstruction.segmentation import clean_labels
from ..reconstruction.slice_generator import generate_slices
from . import paper
from .cases import Case
from .metrics import is_missing, psnr, ssim, structures
from .scores import mask_scores
from .summary import Column, Row, Table, by_structure

IMAGES = ("original", "diffae", "dmcvr")
ALL_IMAGES = (*IMAGES, "deeprecon")
"""With those of the method whose model is not shipped."""
COLUMNS = (
    Column("Dice", drawn="Dice"),
    Column("VOE %", 2),
    Column("ASD mm", 3),
    Column("HD mm", 2, drawn="HD, mm"),
    Column("ASSD mm", 3, drawn="ASSD, mm"),
    Column("ASSD mm (mean of means)", 3),
    Column("PSNR dB", 2, drawn="PSNR, dB"),
    Column("SSIM", drawn="SSIM"),
    *paper.COLUMNS,
)
NOTES = (
    "Every acquired slice is inverted and regenerated at its own place by the paper's rule, then labelled by "
    "the model's segmenter; scores are in 3D, a stack at a time, within the model's field of view about the "
    "heart. PSNR and SSIM are per slice and stand in the lines of all labels.",
    "The morphology code is the segmenter's, of the original slice; experts' labels only judge and centre "
    "the field of view.",
)
DIFFAE_NOTES = {
    False: "DiffAE is the same network with its morphology code withheld, not one trained without it.",
    True: "DiffAE is a network of its own, trained without a morphology code.",
}


DEEPRECON_NOTE = (
    "deeprecon is DeepRecon-style: a W+ code is optimised in {steps} steps for every slice and the "
    "segmenter's labels of it; its pixels are {spacing:g} mm."
)


@dataclass(frozen=True)
class Generators:
    """The model that segments and is DMCVR, with which that of ``deeprecon`` is loaded, and the one that is
    DiffAE: by default the same, its morphology code withheld.

    optimisation_steps: of ``deeprecon``. Raises InputError for a DiffAE model that has a morphology code, and
    for either that sees another field of view.
    """

    model: Model
    diffae: Model | None = None
    optimisation_steps: int = Options.optimisation_steps

    def __post_init__(self):
        self._check_deeprecon()
        if self.diffae is None:
            return
        mine, other = self.model.preset, self.diffae.preset
        if other.morphology is not None:
            raise InputError("The DiffAE model takes a morphology code; give one trained without it.")
        if (mine.image_size, mine.spacing_mm) != (other.image_size, other.spacing_mm):
            raise InputError("The DiffAE model and the model must work on images of one size and spacing.")

    def _check_deeprecon(self) -> None:
        if self.model.deeprecon is None:
            return
        mine, other = self.model.preset, self.model.deeprecon.preset
        if mine.spacing_mm is None or not np.isclose(
            mine.image_size * mine.spacing_mm, other.image_size * other.spacing_mm
        ):
            raise InputError("The DeepRecon model and the model must see the same field of view.")

    def of(self, method: str) -> Model:
        """The model that regenerates slices for ``method``."""
        return self.diffae or self.model if method == "diffae" else self.model

    def notes(self, methods: tuple[str, ...]) -> tuple[str, ...]:
        """What a reader has to know about them."""
        notes = (DIFFAE_NOTES[self.diffae is not None],) if "diffae" in methods else ()
        if "deeprecon" not in methods:
            return notes
        spacing = self.deeprecon.preset.spacing_mm
        return (*notes, DEEPRECON_NOTE.format(steps=self.optimisation_steps, spacing=spacing))

    @property
    def deeprecon(self) -> DeepReconModel:
        """The baseline's model. Raises ValueError where none was loaded."""
        if self.model.deeprecon is None:
            raise ValueError("The model was loaded without that of the method deeprecon.")
        return self.model.deeprecon


@dataclass(frozen=True)
class Regenerated:
    """One stack's slices in the model's window, original and regenerated.

    images: by method, (S, size, size) float32 in [0, 1]; labels: the segmenter's of these, uint8. original:
    the acquired slices, whether or not they are among the methods. true: the experts' labels. stack: the
    original as a stack of one frame, which tells where the window lies. white: the intensity of ``original``
    that is the volume's 98th percentile.
    """

    case: Case
    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    original: np.ndarray
    true: np.ndarray
    stack: Stack
    white: float

    @property
    def spacing(self) -> tuple[float, float, float]:
        """(x, y, z) mm."""
        return (*self.stack.spacing, self.case.spacing[2])


def regenerated(
    case: Case, generators: Generators, methods: tuple[str, ...], steps: int | None = None
) -> Regenerated:
    """Every slice of a stack by ``methods``, any of ALL_IMAGES. steps: network calls each way."""
    frame, model = case.stack.frames[0], generators.model
    native = [case.stack.plane(index) for index in range(len(case.labels))]
    window = window_about(model, frame, native, native, case.labels > 0)
    original = window.images(frame, native)
    images = {}
    for method in methods:
        made = original
        if method == "deeprecon":
            labels = label_slices(model, original)
            made = decode_slices(
                generators.deeprecon, original, labels, window, generators.optimisation_steps
            )
        elif method != "original":
            made = regenerate(generators.of(method), model, original, window, case, method, steps)
        images[method] = made
    first = window.planes[0]
    origins = np.stack([plane.origin for plane in window.planes])
    return Regenerated(
        case,
        images,
        {method: label_slices(model, made) for method, made in images.items()},
        original,
        window.labels(case.labels, native),
        Stack(original[None], origins, first.step_x, first.step_y),
        max(float(np.percentile(frame, paper.PERCENTILE)), 1e-6) / window.scale,
    )


def generation_tables(
    cases: Iterable[Case],
    generators: Generators,
    methods: tuple[str, ...] = IMAGES,
    steps: int | None = None,
    done: Callable[[], None] = lambda: None,
) -> list[Table]:
    """Scores of ``methods``, any of ALL_IMAGES, by structure. steps: network calls each way.

    done: called after each case.
    """
    rows = []
    for case in cases:
        item = regenerated(case, generators, methods, steps)
        for method in methods:
            rows += _rows(item, method)
        done()
    notes = (*NOTES, *generators.notes(methods), paper.NOTE)
    return [Table("2D generation", ("structure", "images"), COLUMNS, by_structure(rows), notes)]


def label_slices(model: Model, images: np.ndarray) -> np.ndarray:
    """The segmenter's labels (S, size, size) of a stack's window images in [0, 1], tidied."""
    return clean_labels(model.segment(images)[0].argmax(1).cpu().numpy())


def regenerate(
    generator: Model,
    segmenter: Model,
    images: np.ndarray,
    window: Window,
    case: Case,
    method: str,
    steps: int | None,
) -> np.ndarray:
    """Window images (S, size, size) in [0, 1] after full inversion and full generation of each slice.

    segmenter: the model that gives the morphology code.
    """
    positions = case.stack.positions
    labels = label_slices(segmenter, images)
    maps = nested_distances(labels, (window.spacing, window.spacing), REACH_MM)[None]
    options = Options(method=method, steps=steps, rule="paper")
    latents = invert_slices(generator, AcquiredSlices(images[None], positions, maps), options)
    return generate_slices(generator, latents, TargetSlices(positions, maps), options)[0]


def decode_slices(
    model: DeepReconModel, images: np.ndarray, labels: np.ndarray, window: Window, steps: int
) -> np.ndarray:
    """Window images (S, size, size) in [0, 1], decoded from W+ codes that were optimised for them and their
    ``labels`` (S, size, size) in ``steps`` steps, at the baseline's resolution.
    """
    own = window.resized(model.size, model.preset.spacing_mm)
    seen = [sample_plane(*item, order=3) for item in zip(images, window.planes, own.planes, strict=True)]
    codes = find_codes(model, np.clip(seen, 0, 1), own.labels(labels, list(window.planes)), steps)
    places = np.arange(len(images), dtype=float)
    made, _ = decode_between(model, codes, places, places)
    # Pixels on the border are seen half a pixel further out, where there are none.
    padded = np.pad(made, ((0, 0), (1, 1), (1, 1)), mode="edge")
    planes = own.resized(model.size + 2, model.preset.spacing_mm).planes
    back = [sample_plane(*item, order=3) for item in zip(padded, planes, window.planes, strict=True)]
    return np.clip(back, 0, 1).astype(np.float32)


def _rows(item: Regenerated, method: str) -> list[Row]:
    """One row a structure."""
    masks, real = structures(item.labels[method]), structures(item.true)
    quality = {} if method == "original" else _quality(item.images[method], item)
    return [
        Row(
            item.case.name,
            (name, method),
            {
                **mask_scores(masks[name], real[name], item.spacing),
                **paper.paper_distances(masks[name], real[name]),
                **(quality if name == "all" else {}),
            },
            int(is_missing(masks[name], real[name])),
        )
        for name in masks
    ]


def _quality(made: np.ndarray, item: Regenerated) -> dict[str, float]:
    pairs = list(zip(made, item.original, strict=True))
    return {
        "PSNR dB": float(np.mean([psnr(image, true) for image, true in pairs])),
        "SSIM": float(np.mean([ssim(image, true) for image, true in pairs])),
        **paper.paper_quality(made, item.original, item.white),
    }
