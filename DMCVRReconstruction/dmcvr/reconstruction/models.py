"""Loading what a reconstruction computes with."""

from __future__ import annotations

from ..model.inference import Model
from .options import ModelChoice, Options, check_deeprecon


def load_model(options: Options, choice: ModelChoice) -> Model:
    """The model that is chosen; for the method ``deeprecon`` that baseline's with the shipped one, which
    finds and labels the heart. Raises InputError where there is none, or it is damaged.
    """
    check_deeprecon([options.method], choice.folder)
    if options.method == "deeprecon":
        return Model.load(None, choice.device, choice.precision, deeprecon=choice.folder)
    return Model.load(choice.folder, choice.device, choice.precision)
