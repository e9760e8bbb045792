"""The model that a caller of the API has loaded, or named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..reconstruction.options import ModelChoice, Options

if TYPE_CHECKING:
    import os

    from ..model.inference import Model


def model_choice(model: str | os.PathLike[str] | Model | None, device: str, precision: str) -> ModelChoice:
    """What a caller named to compute with. Raises InputError for devices and precisions there are not."""
    from ..io.in_memory import is_path

    return ModelChoice(str(model) if is_path(model) else None, device, precision)


def given_model(model: str | os.PathLike[str] | Model | None, choice: ModelChoice, options: Options) -> Model:
    """The model that a caller has loaded, or chosen."""
    from ..model.inference import Model
    from ..reconstruction.models import load_model

    if isinstance(model, Model):
        return model
    return load_model(options, choice)
