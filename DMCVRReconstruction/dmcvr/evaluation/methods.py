"""Every method on the same slices and the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..baselines import BASELINES
from ..core.errors import InputError
from ..core.stack import Stack
from ..model.inference import Model
from ..reconstruction.options import GENERATIVE, METHODS, Options
from ..reconstruction.pipeline import reconstruct
from ..reconstruction.result import Reconstruction
from ..reconstruction.stack_labels import segment_stack


@dataclass(frozen=True)
class Comparison:
    """Which methods are compared, and on which labels of the acquired slices.

    predicted_labels: the segmenter's instead of the experts'. options: of all methods; generated slices are
    labelled by their label rule where labels are predicted, and their samples are of methods that generate.
    """

    methods: tuple[str, ...] = METHODS
    predicted_labels: bool = False
    options: Options = Options(align="off")

    @property
    def needs_model(self) -> bool:
        """Whether anything but baselines on expert labels is compared."""
        return self.predicted_labels or not set(self.methods) <= set(BASELINES)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the table has to know about its methods."""
        generating = [method for method in self.methods if method not in BASELINES]
        if self.predicted_labels:
            return ("Labels of the acquired slices: the segmenter's.",)
        if not generating:
            return ("Labels of the acquired slices: the experts'.",)
        rules = {
            "deeprecon": "deeprecon labels new slices by decoding their codes, as it does their images",
            "dmcvr": "dmcvr labels new slices by the completed shape of the whole heart",
            "diffae": "diffae labels new slices by the interpolated shape, as shape does",
        }
        told = "; ".join(rules[method] for method in generating)
        return (f"Labels of the acquired slices: the experts'. From these, {told}.",)


def find_labels(model: Model, stack: Stack) -> np.ndarray | None:
    """The segmenter's labels (S, H, W) of the stack's first frame; None where it finds no heart."""
    try:
        _, by_frame = segment_stack(stack, model, [0], lambda stage, done, total: None)
    except InputError:
        return None
    return by_frame[0]


def reconstructions(
    stack: Stack,
    labels: np.ndarray,
    model: Model | None,
    comparison: Comparison,
    spacing: float | None = None,
) -> Iterator[tuple[str, Reconstruction | None]]:
    """(method, reconstruction) for every method, of a stack of one frame; None where the heart was missed.

    labels: (S, H, W) expert labels. spacing: mm between output slices, None for the in-plane spacing. Raises
    ValueError where a model is needed and there is none.
    """
    drawn: np.ndarray | None = labels
    if comparison.predicted_labels:
        if model is None:
            raise ValueError("Without a model no labels can be predicted.")
        drawn = find_labels(model, stack)
    if drawn is None:
        yield from ((method, None) for method in comparison.methods)
    else:
        yield from reconstructions_on(stack, drawn, model, comparison, spacing)


def reconstructions_on(
    stack: Stack,
    labels: np.ndarray,
    model: Model | None,
    comparison: Comparison,
    spacing: float | None = None,
    lax: Sequence[Stack] = (),
) -> Iterator[tuple[str, Reconstruction]]:
    """The same on known ``labels`` (S, H, W), an expert's or the segmenter's. lax: long-axis images that tell
    how slices are displaced.
    """
    for method in comparison.methods:
        options = replace(
            comparison.options,
            method=method,
            spacing=spacing,
            frame=0,
            samples=comparison.options.samples if method in GENERATIVE else 0,
        )
        # Given labels count as expert ones, which generated images may not change; predicted ones are left to
        # the pipeline there.
        own = comparison.predicted_labels and method in GENERATIVE
        yield method, reconstruct(stack, model, options, labels=None if own else labels[None], lax=lax)
