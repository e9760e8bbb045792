"""The command line: what can be typed. Imports nothing heavy, so that --help answers at once; what is done
then is in ``commands``.

Exit codes: 0 done, 1 fault, 2 bad usage or input, 130 cancelled.
"""

from __future__ import annotations

import importlib
import signal
import sys

from ..core.errors import CancelledError, InputError, explain_fault
from ..system.heap import share_heap
from .arguments.parser import build_parser
from .console import abandon, flush_console, prepare_console


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    prepare_console()
    share_heap()
    try:
        return _run(arguments)
    finally:
        flush_console()


def _run(arguments: list[str] | None) -> int:
    options = build_parser().parse_args(arguments)
    # A job that is told to end stops as one interrupted by hand does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        name = options.command.replace("-", "_")
        importlib.import_module(f".commands.{name}", __package__).run(options)
    except InputError as error:
        print(f"dmcvr: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        abandon(sys.stdout.fileno())
        # What is printed while a command runs is for somebody who waits for its end; all else is the end.
        while_it_runs = getattr(options, "json", False) or options.command in ("job", "train")
        return 130 if while_it_runs else 0
    except (KeyboardInterrupt, CancelledError):
        print("dmcvr: cancelled.", file=sys.stderr)
        return 130
    except Exception as error:
        if (fault := explain_fault(error)) is None:
            raise
        print(f"dmcvr: {fault[1]}", file=sys.stderr)
        return 1
    return 0
