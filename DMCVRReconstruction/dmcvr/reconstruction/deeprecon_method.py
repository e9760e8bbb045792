"""The DeepRecon-style baseline as a method: full volumes and labels from decoded W+ codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..baselines.deeprecon.optimisation import optimise_codes
from ..baselines.protocol import Synthesis
from ..baselines.weighted import apply_weights, linear_weights
from ..core.geometry import Plane, sample_plane
from ..core.layout import Layout
from ..core.positions import bracket
from ..core.progress import Progress, no_progress
from ..core.stack import Stack
from ..model.batches import as_batch
from ..model.deeprecon_model import DeepReconModel
from ..model.diffusion.interpolation import lerp
from .assembly import paste_window
from .heart_window import Window
from .options import Options
from .segmentation import clean_labels


@dataclass(frozen=True)
class DeepReconMethod:
    """See `baselines.protocol.Method`. window: the heart's; the model sees one of its own size there.

    Outside the window images are interpolated linearly, and there are no labels.
    """

    model: DeepReconModel
    window: Window
    options: Options

    def extended(self, stack: Stack, labels: np.ndarray, layout: Layout) -> Layout:
        """The ``layout`` as it is."""
        return layout

    def __call__(self, stack: Stack, labels: np.ndarray, layout: Layout, progress: Progress, /) -> Synthesis:
        """Find the codes of all slices of a frame, decode what lies between them, frame by frame."""
        window = self.window.resized(self.model.size, self.model.preset.spacing_mm)
        native = [stack.plane(index) for index in range(len(stack.origins))]
        kept = np.array([self.options.keep_acquired and index is not None for index in layout.acquired])
        shape = (len(stack.frames), *layout.grid.shape)
        volume, out = np.empty(shape, np.float32), np.empty(shape, np.uint8)
        weights = linear_weights(stack.positions, layout.wanted)
        for index, (frame, drawn) in enumerate(zip(stack.frames, labels, strict=True)):
            images, seen = window.images(frame, native, order=3), window.labels(drawn, native)
            codes = find_codes(self.model, images, seen, self.options.optimisation_steps, progress)
            decoded, shares = decode_between(self.model, codes, stack.positions, layout.wanted)
            background = apply_weights(weights, frame)
            clipped = apply_weights(weights, np.maximum(frame - window.scale, 0))
            volume[index] = paste_window(decoded, window, background, clipped, native[0])
            out[index] = native_labels(shares, window.planes[0], native[0])
            for z in np.flatnonzero(kept):
                volume[index, z], out[index, z] = frame[layout.acquired[z]], drawn[layout.acquired[z]]
            out[index, ~kept] = clean_labels(out[index])[~kept]
            progress("generate", index + 1, len(volume))
        return Synthesis(volume, out)


def find_codes(
    model: DeepReconModel,
    images: np.ndarray,
    labels: np.ndarray,
    steps: int,
    progress: Progress = no_progress,
) -> Tensor:
    """Optimised W+ codes (S, layers, code) of slices in the model's window.

    images: (S, size, size) in [0, 1]. labels: (S, size, size) uint8. progress: called with ("invert", slices
    times steps done, and in all).
    """
    whole, drawn = (
        as_batch(images).to(model.device),
        torch.from_numpy(labels.astype(np.int64)).to(model.device),
    )
    codes = []
    for start in range(0, len(whole), model.batch):
        at = slice(start, start + model.batch)
        batch = whole[at]

        def told(step: int, before: int = start, count: int = len(batch)) -> None:
            progress("invert", before * steps + count * step, len(whole) * steps)

        codes.append(optimise_codes(model.decode, model.encode(batch), batch, drawn[at], steps, told))
    return torch.cat(codes)


@torch.no_grad()
def decode_between(
    model: DeepReconModel, codes: Tensor, positions: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Images (Z, size, size) in [0, 1] and class probabilities (Z, classes, size, size) at ``wanted`` (Z,)
    mm, decoded from codes on the straight line between those (S, layers, code) of slices at ``positions``.
    """
    below, above, fraction = bracket(positions, wanted)
    between = lerp(codes[below], codes[above], torch.from_numpy(fraction).to(codes.device))
    images, shares = [], []
    for batch in torch.split(between, model.batch):
        image, logits = model.decode(batch)
        images.append(image[:, 0].clamp(0, 1).cpu().numpy())
        shares.append(logits.softmax(1).cpu().numpy())
    return np.concatenate(images), np.concatenate(shares)


def native_labels(shares: np.ndarray, source: Plane, native: Plane) -> np.ndarray:
    """Labels (Z, H, W) uint8 on the plane ``native`` from class probabilities (Z, classes, size, size) on the
    parallel ``source``.
    """
    out = np.empty((len(shares), *native.shape), np.uint8)
    for z, slice_shares in enumerate(shares):
        structures = sample_plane(slice_shares[1:], source, native)
        out[z] = np.argmax([1 - structures.sum(0), *structures], axis=0)
    return out
