"""A parser that says what is wrong in one sentence, and what was probably meant."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

INVALID_CHOICE = re.compile(r"invalid choice: '?([^' ]+)'? \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the whole usage, and suggests the option, command or choice
    that a mistyped one resembles.
    """

    _given: tuple[str, ...] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse; keeps what was typed, for `error`."""
        self._given = tuple(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print ``message`` with a suggestion and end with exit code 2."""
        meant = self._meant(message)
        self.exit(2, f"{self.prog}: {message}{f'; did you mean {meant}?' if meant else ''}\n")

    def _meant(self, message: str) -> str | None:
        if found := INVALID_CHOICE.search(message):
            return _nearest(found[1], re.findall(r"[^\s',]+", found[2]))
        known = self._options(self._given)
        for word in self._given:
            name = word.partition("=")[0]
            unknown = name.startswith("--") and len(name) > 2
            if unknown and not any(option.startswith(name) for option in known):
                return _nearest(name, known)
        return None

    def _options(self, words: Sequence[str]) -> list[str]:
        """All options of this parser and of the commands that ``words`` name."""
        out = [option for action in self._actions for option in action.option_strings]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for index, word in enumerate(words):
                    if isinstance(part := action.choices.get(word), Parser):
                        return out + part._options(words[index + 1 :])
        return out


def _nearest(word: str, known: Sequence[str]) -> str | None:
    """What to say of the one of ``known`` that ``word`` resembles, if one does."""
    found = get_close_matches(word, known, n=1)
    return f"{found[0]} for {word}" if found else None
