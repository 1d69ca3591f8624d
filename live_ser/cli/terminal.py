"""Where to show a session: dashboard, lines or records."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass

from rich.console import Console

from live_ser.cli.listen_options import Options
from live_ser.dashboard.dashboard import Dashboard
from live_ser.palette import PALETTES


@dataclass(frozen=True)
class Display:
    """Where to show a session.

    Attributes:
        dashboard: whether to show the dashboard, on standard error.
        lines: whether to print plain lines to standard output.
        records: whether to write records, to a file or to standard output.
        palette: colours of the dashboard, one of ``PALETTES``.
    """

    dashboard: bool
    lines: bool
    records: bool
    palette: str = PALETTES[0]

    def console(self) -> Console:
        """The console for the dashboard."""
        if self.palette == "terminal":
            return Console(stderr=True, color_system="standard")
        return Console(stderr=True, no_color=True if self.palette == "none" else None)


def display_of(options: Options) -> Display:
    """Where to show a session, depending on options and terminal."""
    terminal = sys.stdout.isatty()
    dashboard = _has_dashboard(options)
    # A dumb terminal shows lines, unless records are requested.
    dumb = terminal and Console(stderr=True).is_dumb_terminal
    lines = options.lines or (dumb and options.format is None and not options.quiet)
    alone = dashboard and terminal and options.format is None
    records = bool(options.output) or not (lines or alone)
    return Display(dashboard, lines, records=records, palette=options.palette)


def _has_dashboard(options: Options) -> bool:
    """Whether there is a terminal for the dashboard, without other output on it."""
    if options.lines or options.quiet or not Dashboard.possible(Console(stderr=True)):
        return False
    if options.output:
        return True
    if sys.stdout.isatty():
        return options.format is None
    # The reader of a pipe may write to the same terminal; a file does not.
    return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
