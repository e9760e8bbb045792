"""What to reconstruct and how: the one set of options that the command line, the job file, 3D Slicer's
parameter node, a cohort and an evaluation all hold. Each default stands here and nowhere else. No torch.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from ..core.errors import InputError

GENERATIVE = ("dmcvr", "diffae")
METHODS = (*GENERATIVE, "registration", "shape", "bspline", "linear", "nearest")
ALL_METHODS = (*METHODS, "deeprecon")
"""With the one whose model is not shipped: whoever wants to compare with it trains it."""
RULE_CALLS = {"aligned": (4, 2), "paper": (10, 10)}
"""By rule, network calls of an inversion and of a generation where no number is asked for; the aligned rule
goes part of the way only.
"""
RULES = tuple(RULE_CALLS)
LABEL_RULES = ("code", "image", "fused")
BOTH = "both"
PHASES = ("ed", "es", BOTH, "all")
ALIGNMENTS = ("auto", "lax", "shape", "off")
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Options:
    """What to reconstruct and how. Raises InputError for values that make no sense.

    method: one of ALL_METHODS. spacing: mm between output slices, None for the in-plane spacing.
    frame: "ed", "es", "both" of these, "all" or a frame's index, counted from 0.
    rule: how the latents of two neighbours are combined, "aligned" or "paper", see `slice_generator`; DiffAE
        always takes the paper's.
    steps: network calls of an inversion, and as many of a generation; None takes the rule's own, see
        `noise_levels`.
    stop_log_snr: log-SNR at which the aligned rule's inversion stops; a lower one is sharper and less true.
    order: 2 for the multistep sampler, 1 for DDIM.
    label_rule: labels of generated slices from the interpolated shape ("code"), from segmenting the generated
        image ("image", as in the paper), or from the mean of the two distance maps ("fused").
    keep_acquired: acquired slices keep their acquired voxels; otherwise they are inverted and generated like
        the rest.
    align: what slices are put in register by: long-axis images ("lax"), the slices' shapes ("shape"), both
        as far as there are any ("auto"), or nothing ("off"), which leaves every voxel as acquired.
    fit_cycle: whether the labels that a cine's frames are given are fitted over the whole beat.
    extrapolate: draw the heart up to a gap beyond the stack where its apex lies there; otherwise half a gap,
        for which an end slice stands.
    optimisation_steps: of the method ``deeprecon``, for the code of each slice; the paper takes 1,000.
    samples: how many plausible slices are drawn for each generated one, whose spread tells how uncertain it
        is; 0 for none.
    seed: of what is drawn at random.
    """

    method: str = "dmcvr"
    spacing: float | None = None
    frame: str | int = "ed"
    rule: str = "aligned"
    steps: int | None = None
    stop_log_snr: float = 1.5
    order: int = 2
    label_rule: str = "code"
    keep_acquired: bool = True
    align: str = "auto"
    fit_cycle: bool = True
    extrapolate: bool = True
    optimisation_steps: int = 100
    samples: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        _check("method", self.method, ALL_METHODS)
        _check("rule", self.rule, RULES)
        _check("label rule", self.label_rule, LABEL_RULES)
        _check("alignment", self.align, ALIGNMENTS)
        if isinstance(self.frame, str):
            _check("frame", self.frame, PHASES, "or a number from 0")
        if self.spacing is not None and not (math.isfinite(self.spacing) and self.spacing > 0):
            raise InputError("The slice spacing must be a number above 0.")
        if not math.isfinite(self.stop_log_snr):
            raise InputError("The log-SNR at which the inversion stops must be a number.")
        if self.order not in (1, 2):
            raise InputError("The sampler's order must be 1 or 2.")
        if self.steps is not None and self.steps < 1:
            raise InputError("The number of steps must be at least 1.")
        if self.optimisation_steps < 0:
            raise InputError("The number of optimisation steps must be at least 0.")
        if self.samples and (self.samples < 2 or not self.generates):
            raise InputError(
                "Uncertainty takes at least 2 samples of a method that generates: dmcvr or diffae."
            )

    @property
    def generates(self) -> bool:
        """Whether the method makes slices by the diffusion model."""
        return self.method in GENERATIVE

    @property
    def needs_model(self) -> bool:
        """Whether the method makes slices by a network, which also draws acquired slices anew where asked."""
        return self.generates or self.method == "deeprecon"

    @property
    def morphology(self) -> bool:
        """Whether the denoiser is given l_mor, which DiffAE does without."""
        return self.method != "diffae"

    @property
    def rule_in_force(self) -> str:
        """``rule``, but DiffAE's is always the paper's."""
        return self.rule if self.morphology else "paper"

    @property
    def calls(self) -> tuple[int, int]:
        """Network calls of an inversion and of a generation."""
        return RULE_CALLS[self.rule_in_force] if self.steps is None else (self.steps, self.steps)

    def to_json(self) -> dict[str, Any]:
        """The options as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Options:
        """The options in what `to_json` gave; what is missing takes its default. Raises InputError for others
        than are known here, and for values of the wrong type.
        """
        return _from_json(cls, values)


@dataclass(frozen=True)
class ModelChoice:
    """Which model computes, on what.

    folder: of the model, None for the shipped one; for the method ``deeprecon`` that baseline's, beside the
    shipped one, which finds the heart. device: one of DEVICES. precision: one of PRECISIONS.
    """

    folder: str | None = None
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        _check("device", self.device, DEVICES)
        _check("precision", self.precision, PRECISIONS)

    def to_json(self) -> dict[str, Any]:
        """The choice as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelChoice:
        """The choice in what `to_json` gave; see `Options.from_json`."""
        return _from_json(cls, values)


def check_deeprecon(methods: Collection[str], folder: object, option: str = "--model") -> None:
    """Raise InputError where ``deeprecon`` is among the methods and no ``folder`` of its model is given, by
    the command line's ``option``.
    """
    if "deeprecon" in methods and folder is None:
        raise InputError(
            "The method deeprecon needs a model of its own, which is not shipped: train one with dmcvr train "
            f"deeprecon and give its folder with {option}."
        )


def _check(what: str, value: object, known: tuple[str, ...], besides: str = "") -> None:
    if value not in known:
        others = f" {besides}" if besides else ""
        raise InputError(f"There is no {what} {value!r}; choose one of {', '.join(known)}{others}.")


_TYPES = {
    "str": (str,),
    "str | None": (str, type(None)),
    "str | int": (str, int),
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (float, int),
    "float | None": (float, int, type(None)),
    "bool": (bool,),
}


Kind = TypeVar("Kind", Options, ModelChoice)


def _from_json(cls: type[Kind], values: Mapping[str, Any]) -> Kind:
    types = {field.name: str(field.type) for field in fields(cls)}
    if unknown := sorted(values.keys() - types.keys()):
        raise InputError(f"There is no option {', '.join(map(repr, unknown))} in this version.")
    for name, value in values.items():
        boolean = isinstance(value, bool) and types[name] != "bool"
        if boolean or not isinstance(value, _TYPES[types[name]]):
            raise InputError(f"The option {name!r} cannot be {value!r}.")
    return cls(**values)
