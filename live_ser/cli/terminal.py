"""The terminal: whether the dashboard can be shown on it."""

from __future__ import annotations

import os
import stat
import sys
from argparse import Namespace

from rich.console import Console

from live_ser.dashboard.dashboard import Dashboard


def has_lines(arguments: Namespace) -> bool:
    """Whether a session is shown as plain lines: if asked for, and on a terminal without a screen.

    On such a terminal standard output shows them in place of records, which nobody asked for.
    """
    if arguments.lines:
        return True
    is_dumb = sys.stdout.isatty() and Console(stderr=True).is_dumb_terminal
    return is_dumb and arguments.format is None and not arguments.quiet


def has_records(arguments: Namespace) -> bool:
    """Whether records of a session are written, to a file or to standard output."""
    if arguments.output:
        return True
    return not has_lines(arguments) and not has_only_dashboard(arguments)


def has_dashboard(arguments: Namespace) -> bool:
    """Whether there is a terminal for a dashboard, and nothing else that is written on it."""
    if arguments.lines or arguments.quiet or not Dashboard.possible(Console(stderr=True)):
        return False
    if arguments.output:
        return True
    if sys.stdout.isatty():
        return arguments.format is None
    # What reads a pipe may well write on the same terminal; a file does not.
    return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)


def has_only_dashboard(arguments: Namespace) -> bool:
    """Whether the dashboard is all that a session is shown on, and no records are written."""
    if arguments.output or not sys.stdout.isatty():
        return False
    return arguments.format is None and has_dashboard(arguments)
