"""The terminal: whether the dashboard can be shown on it."""

from __future__ import annotations

import os
import stat
import sys
from argparse import Namespace

from rich.console import Console

from live_ser.dashboard.dashboard import Dashboard


def has_dashboard(arguments: Namespace) -> bool:
    """Whether there is a terminal for a dashboard, and nothing else that is written on it."""
    if arguments.quiet or not Dashboard.possible(Console(stderr=True)):
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
