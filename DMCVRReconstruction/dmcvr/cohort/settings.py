"""What holds for every case of a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reconstruction.pipeline import Options
    from .cases import Case

KEEP = ("record", "labels", "volumes")
"""What is left of a case beside a small picture: the record alone; its labels as well; or all that ``dmcvr
reconstruct`` writes.
"""
RETRIES = 2


@dataclass(frozen=True)
class Settings:
    """The options of a cohort, small enough to go with every case.

    output: the cohort's folder, absolute, which every worker sees. keep: one of KEEP.
    model: folder of the model, None for the shipped one; model_sha256: of its card. label_values: see
    ``volumes.read_labels``. retries: how often a transient fault is tried again. trust_times: whether an
    input whose size and time have not changed counts as unchanged, without being read again.
    The rest is as in ``pipeline.Options`` and ``generation.GenerationOptions``.
    """

    output: Path
    method: str = "dmcvr"
    spacing: float | None = None
    rule: str = "aligned"
    steps: int | None = None
    stop: float = 1.5
    label_rule: str = "code"
    regenerate: bool = False
    seed: int = 0
    model: Path | None = None
    model_sha256: str | None = None
    device: str = "auto"
    precision: str = "auto"
    label_values: tuple[int, int, int] = (1, 2, 3)
    keep: str = "volumes"
    retries: int = RETRIES
    trust_times: bool = True

    def identity(self, case: Case) -> dict:
        """The options a case's result depends on, as JSON holds them."""
        return {
            "frame": case.frame,
            "method": self.method,
            "spacing": self.spacing,
            "rule": self.rule,
            "steps": self.steps,
            "stop": self.stop,
            "label_rule": self.label_rule,
            "regenerate": self.regenerate,
            "seed": self.seed,
            "precision": self.precision,
            "label_values": list(self.label_values) if case.labels is not None else None,
        }

    def options(self, case: Case) -> Options:
        """The pipeline's options for ``case``."""
        from ..reconstruction.pipeline import Options
        from ..reconstruction.slice_generator import GenerationOptions

        return Options(
            method=self.method,
            spacing=self.spacing,
            frame=case.frame,
            generation=GenerationOptions(steps=self.steps, rule=self.rule, stop_log_snr=self.stop),
            keep_acquired=not self.regenerate,
            label_rule=self.label_rule,
            seed=self.seed,
        )

    def needs_model(self, case: Case) -> bool:
        """Whether ``case`` runs a network: not where a baseline works on an expert's labels."""
        from ..baselines import BASELINES

        return case.labels is None or self.method not in BASELINES

    def model_hash(self, case: Case) -> str | None:
        """Of the model that ``case`` needs, if it needs one."""
        return self.model_sha256 if self.needs_model(case) else None
