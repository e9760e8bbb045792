"""A model on a device: segment, encode, denoise.

The segmenter is the E_mor and D_mor of the paper. Whatever is put in its place needs to offer
``segment_and_encode``: images (B, slices, H, W) in [0, 1], a slice between its neighbours in the stack, to
class logits (B, 4, H, W) and features, of which only the "bottleneck" form of the morphology code makes use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ..core.errors import InputError
from .batches import batch_size, even_parts, turn, turn_back, with_neighbours, without_neighbours
from .bundle import DEFAULT_BUNDLE, preset_of, read_card
from .deeprecon_model import DeepReconModel
from .device import choose_device, choose_precision, convert_weights
from .diffusion.sampler import Denoise, predictions
from .diffusion.schedule import SCHEDULES
from .networks.presets import Preset
from .placed_model import PlacedModel
from .side_by_side import side_by_side
from .weights import Networks, build, checked_weights, fill, fitted, read_weights

Result = TypeVar("Result")


@dataclass(frozen=True)
class Codes:
    """The codes of B slices that condition the denoiser.

    semantic: (B, D), l_sem. morphology: l_mor, (B, 3, H, W) nested distances in [-1, 1] or (B, C, H/16, W/16)
    features of the segmenter, as the preset says; None withholds it, which is the method DiffAE.
    """

    semantic: Tensor
    morphology: Tensor | None


class Model(PlacedModel[Preset]):
    """Networks of one preset on one device.

    All images are (B, 1, H, W) float32, H = W = ``size``, on the CPU or the model's device; results stay on
    the device.

    deeprecon: the baseline's networks beside these, where its method is to run.
    """

    deeprecon: DeepReconModel | None = None

    def __init__(
        self,
        preset: Preset,
        networks: Networks,
        card: dict,
        device: str = "auto",
        precision: str = "auto",
    ):
        super().__init__(preset, card, device, precision)
        self.schedule = SCHEDULES[preset.schedule]()
        self.segmenter = self._placed(networks.segmenter)
        self.semantic = self._placed(networks.semantic)
        self.denoiser = self._placed(networks.denoiser)
        self.shifts, self.shape = (
            module if module is None else module.eval().requires_grad_(False).to(self.device)
            for module in (networks.shifts, networks.shape)
        )
        self.batch = batch_size(preset, self.device)

    @classmethod
    def load(
        cls,
        folder: Path | str | None = None,
        device: str = "auto",
        precision: str = "auto",
        deeprecon: Path | str | None = None,
    ) -> Model:
        """The bundle in ``folder``, by default the shipped one, with the baseline's model in the folder
        ``deeprecon``. Raises InputError if either is damaged.
        """
        folder = DEFAULT_BUNDLE if folder is None else Path(folder)
        card = read_card(folder)
        preset = preset_of(card)
        if not isinstance(preset, Preset):
            raise InputError(
                "The model folder holds a DeepRecon model, which the method deeprecon alone takes."
            )
        weights = {part: checked_weights(folder, part, card["sha256"]) for part in preset.parts}
        precision = choose_precision(precision, choose_device(device))
        # Built without memory and filled by assignment: no weight is initialised only to be overwritten.
        with fitted():
            with torch.device("meta"):
                networks = build(preset)
            for part, network in networks.parts.items():
                fill(network, read_weights(weights[part]))
                convert_weights(network, precision)
        model = cls(preset, networks, card, device, precision)
        if deeprecon is not None:
            model.deeprecon = DeepReconModel.load(deeprecon, device, precision)
        return model

    @classmethod
    def untrained(cls, preset: Preset, device: str = "cpu", precision: str = "float32") -> Model:
        """A model with random weights, for tests and measurements of speed."""
        return cls(
            preset,
            build(preset),
            {"name": f"{preset.name}, untrained", "licence": "none"},
            device,
            precision,
        )

    def in_batches(
        self, count: int, run: Callable[[slice], Result], done: Callable[[slice], None] = lambda part: None
    ) -> list[Result]:
        """What ``run`` gives for each part of ``count`` items, at most ``batch`` in each: on a processor
        several side by side, on a graphics card one after the other, half as many in each from the moment
        that its memory does not suffice.

        run: without autocast around it. done: called on the caller's thread for one part after the other.
        """
        if self.device.type == "cpu":
            return side_by_side(run, even_parts(count, self.batch), done)
        results: list[Result] = []
        start = 0
        while start < count:
            part = slice(start, min(start + self.batch, count))
            try:
                results.append(run(part))
            except torch.cuda.OutOfMemoryError:
                if part.stop - start == 1:
                    raise
                self.batch = (part.stop - start) // 2
                torch.cuda.empty_cache()
            else:
                start = part.stop
                done(part)
        return results

    def _to(self, images: Tensor) -> Tensor:
        return images.to(self.device, torch.float32).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def segment(
        self,
        images: np.ndarray,
        *,
        neighbours: bool = True,
        views: int = 1,
        done: Callable[[int], None] = lambda count: None,
    ) -> tuple[Tensor, Tensor]:
        """Class probabilities (N, 4, H, W) and bottleneck features of images in [0, 1], (S, H, W) or those of
        several stacks, (F, S, H, W), where slice s of stack f is number f S + s of N.

        neighbours: whether the images are stacks' slices in their order, so that each may be judged with its
            neighbours in view; otherwise each is judged by itself. Sides are multiples of the segmenter's
            stride.
        views: probabilities are the mean over this many of the eight turns and mirror images of a square,
            the image as it is first; the features are of that one.
        done: told the number of slices finished after each batch.
        """
        context = self.preset.segmenter.context
        batch = with_neighbours(images, context) if neighbours else without_neighbours(images, context)

        def seen(chunk: Tensor, view: int) -> tuple[Tensor, Tensor]:
            with self._autocast():
                logits, feature = self.segmenter.segment_and_encode(turn(chunk, view))
            return turn_back(logits.float().softmax(1), view), feature.float()

        def run(part: slice) -> tuple[Tensor, Tensor]:
            chunk = self._to(batch[part])
            total, upright = seen(chunk, 0)
            for view in range(1, views):
                total = total + seen(chunk, view)[0]
            return total / views, upright

        found = self.in_batches(len(batch), run, lambda part: done(part.stop - part.start))
        probabilities, features = (torch.cat(items) for items in zip(*found, strict=True))
        return probabilities, features

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Tensor:
        """l_sem (B, D) of images in [-1, 1]."""

        def run(part: slice) -> Tensor:
            with self._autocast():
                codes: Tensor = self.semantic(self._to(images[part])).float()
            return codes

        return torch.cat(self.in_batches(len(images), run))

    @torch.inference_mode()
    def estimate_shifts(self, maps: Tensor, gaps: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Shifts of slices and their standard deviations, mm, on the CPU; see `ShiftEstimator`.

        Raises ValueError where the preset has none.
        """
        if self.shifts is None:
            raise ValueError(f"The preset {self.preset.name} has no shift estimator.")
        with self._autocast():
            found = self.shifts(*(item.to(self.device) for item in (maps, gaps, present)))
        return found[0].cpu(), found[1].cpu()

    @torch.inference_mode()
    def complete_shape(self, given: Tensor) -> Tensor:
        """Nested distances (B, 3, Z, H, W) in mm, on the CPU; see `ShapeCompleter`.

        Raises ValueError where the preset has none.
        """
        if self.shape is None:
            raise ValueError(f"The preset {self.preset.name} has no shape completer.")
        with self._autocast():
            return self.shape(given.to(self.device)).cpu()

    def denoise(self, codes: Codes) -> Denoise:
        """f_theta and epsilon_theta with the codes of a batch bound, for ``diffusion.sampler``."""
        with torch.inference_mode(), self._autocast():
            bound = self.denoiser.bind(codes.semantic, codes.morphology)

        @torch.inference_mode()
        def run(x: Tensor, lam: float) -> tuple[Tensor, Tensor]:
            lams = torch.full((len(x),), lam, device=x.device)
            with self._autocast():
                output = self.denoiser.predict(
                    x.contiguous(memory_format=torch.channels_last), self.schedule.network_time(lams), bound
                )
            return predictions(output.float(), x, lams, self.preset.prediction)

        return run
