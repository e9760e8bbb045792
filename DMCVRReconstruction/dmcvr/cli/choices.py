"""The options in what was typed: arguments whose destinations are the fields' names."""

from __future__ import annotations

import argparse
from dataclasses import fields

from ..reconstruction.options import ModelChoice, Options


def chosen_options(arguments: argparse.Namespace) -> Options:
    """The options of a reconstruction; what a command has no argument for takes its default."""
    given = vars(arguments)
    return Options(**{field.name: given[field.name] for field in fields(Options) if field.name in given})


def chosen_model(arguments: argparse.Namespace) -> ModelChoice:
    """The model and what it computes on."""
    folder = None if arguments.model is None else str(arguments.model)
    return ModelChoice(folder, arguments.device, arguments.precision)
