"""The command line: parses arguments, runs a command, and prints errors in one line.

A command is imported when it runs, so that ``live-ser --help`` is fast.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import import_module

from live_ser.cli.defaults import NAMES, Default, defaults, note_origins
from live_ser.cli.errors import exit_code, say_error, say_whereabouts
from live_ser.cli.messages import SAYING_SECONDS
from live_ser.cli.options import options_of
from live_ser.cli.parser import parser
from live_ser.errors import LiveSerError
from live_ser.live.deadlines import stuck, within
from live_ser.live.signals import gentle_interrupts
from live_ser.system.streams import let_go


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments, without the name of the program; None for those of the process.

    Returns:
        The exit code: 0 for success, 1 for an error, 2 for wrong usage.
    """
    from live_ser.live.quiet import native_messages_hidden

    _open_standard_streams()
    words = parser()
    typed = sys.argv[1:] if argv is None else argv
    if not typed:
        words.print_help(sys.stderr)
        return 2
    words.mark(NAMES)
    arguments = words.parse_args(typed)
    try:
        used = words.fill_in(arguments, defaults)
    except (LiveSerError, ModuleNotFoundError) as error:
        say_error(error, verbose=arguments.verbose)
        return 1
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may have characters it cannot encode
        sys.stdout.reconfigure(errors="backslashreplace")
    with gentle_interrupts(), ExitStack() as stack:
        if not arguments.verbose:
            stack.enter_context(native_messages_hidden())
        code = _run(arguments, used)
        if stuck():
            os._exit(code)  # without waiting for stuck threads
        return code


def _run(arguments: argparse.Namespace, used: Mapping[str, Default]) -> int:
    """Run a command and print its error, if any; return the exit code.

    Args:
        arguments: arguments of the command.
        used: defaults that the user has set, and that are among them.
    """
    try:
        command = import_module(f"live_ser.cli.commands.{arguments.command}")
        code: int = command.run(options_of(command.Options, arguments))
        if not stuck():
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        within(SAYING_SECONDS, partial(say_whereabouts, interrupt))
        return 0 if arguments.command == "listen" else 1
    except BrokenPipeError:
        if not stuck():
            let_go(sys.stdout)
        return 0  # the reader has read enough
    except Exception as error:
        if not stuck():
            let_go(sys.stdout)
        note_origins(error, used)
        within(SAYING_SECONDS, partial(say_error, error, verbose=arguments.verbose))
        return exit_code(error)
    return code


def _open_standard_streams() -> None:
    """Open the null device in place of closed standard streams.

    Otherwise the next file that is opened would become a standard stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
