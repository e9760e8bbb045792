"""What holds for every case of a cohort."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..reconstruction.options import ModelChoice, Options

if TYPE_CHECKING:
    from .cases import Case

KEEP = ("record", "labels", "volumes")
"""What is left of a case beside a small picture: the record alone; its labels as well; or all that ``dmcvr
reconstruct`` writes.
"""
RETRIES = 2


@dataclass(frozen=True)
class Settings:
    """The options of a cohort, small enough to go with every case.

    output: the cohort's folder, absolute, which every worker sees. options: of each case but for its frame.
    model: its folder absolute; model_sha256: of its card. label_values: see ``label_files.read_labels``.
    keep: one of KEEP. retries: how often a transient fault is tried again. trust_times: whether an input
    whose size and time have not changed counts as unchanged, without being read again.
    """

    output: Path
    options: Options = Options()
    model: ModelChoice = ModelChoice()
    model_sha256: str | None = None
    label_values: tuple[int, int, int] = (1, 2, 3)
    keep: str = "volumes"
    retries: int = RETRIES
    trust_times: bool = True

    def options_of(self, case: Case) -> Options:
        """The options of ``case``, whose frame has been chosen."""
        return self.options if case.frame is None else replace(self.options, frame=case.frame)

    def identity(self, case: Case) -> dict[str, Any]:
        """The options a case's result depends on, as JSON holds them."""
        return {
            **self.options_of(case).to_json(),
            "frame": case.frame,
            "precision": self.model.precision,
            "label_values": list(self.label_values) if case.labels is not None else None,
        }

    def needs_model(self, case: Case) -> bool:
        """Whether ``case`` runs a network: not where a baseline works on an expert's labels."""
        return case.labels is None or self.options.needs_model

    def model_hash(self, case: Case) -> str | None:
        """Of the model that ``case`` needs, if it needs one."""
        return self.model_sha256 if self.needs_model(case) else None
