"""Everything a training run needs to go on, in one safetensors file, written beside and renamed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from ..core.errors import InputError
from ..system.ownership import check_replaceable, claim, listed

NAME, WRITING = "checkpoint.safetensors", "checkpoint.writing"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run's state is kept.

    folder: of the run. module, average: the network and the one that holds its moving average.
    identity: what was trained on what and how, as JSON can hold it; only a run with an equal one goes on from
        a checkpoint.
    """

    folder: Path
    module: nn.Module
    average: nn.Module
    optimiser: Optimizer
    identity: dict

    def write(self, step: int) -> None:
        """Keep the state after ``step`` steps."""
        tensors = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in state.items()}
        # Cloned, because safetensors refuses tensors that share memory, as averages of buffers may.
        tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        beside = self.folder / WRITING
        save_file(tensors, beside, {"step": str(step), "identity": self._identity()})
        beside.replace(self.folder / NAME)

    def resume(self) -> int:
        """Restore the last checkpoint, if there is one; how many steps are done.

        Raises InputError where it is another run's or cannot be read.
        """
        path = self.folder / NAME
        if not path.exists():
            return 0
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
            tensors = load_file(path)
        except (OSError, SafetensorError) as error:
            raise InputError("The checkpoint in the output folder cannot be read; remove it.") from error
        if metadata.get("identity") != self._identity():
            raise InputError(
                "The output folder holds a checkpoint of a run with other options; choose another folder."
            )
        self.module.load_state_dict(_part(tensors, "module."))
        self.average.load_state_dict(_part(tensors, "average."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(tensors, "optimiser.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        return int(metadata["step"])

    def _identity(self) -> str:
        return json.dumps(self.identity, sort_keys=True)


def claim_run_folder(folder: Path, part: str) -> None:
    """Make ``folder`` and take it for a run of ``part``. Raises InputError where files that a run would write
    lie there and no run wrote them.
    """
    names = (f"{part}.safetensors", NAME, WRITING, "log.jsonl", "samples", "tensorboard")
    check_replaceable(folder, names, lambda path: listed(path) or _is_checkpoint(folder / NAME))
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder, names)


def _is_checkpoint(path: Path) -> bool:
    try:
        with safe_open(path, "pt") as file:
            return {"step", "identity"} <= (file.metadata() or {}).keys()
    except (OSError, SafetensorError):
        return False


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
