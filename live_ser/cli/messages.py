"""Lines on standard error, for people."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from functools import partial

from live_ser.live.deadlines import within
from live_ser.records.outputs import silence
from live_ser.text import printable

SAYING_SECONDS = 0.5  # that a line on standard error may take


def say(line: str) -> None:
    """Print a line on standard error; it never fails."""
    try:
        print(printable(line), file=sys.stderr, flush=True)
    except OSError:  # nobody reads it, or its disk is full: this costs nothing but the line
        silence(sys.stderr)


def say_in_time(lines: Sequence[str]) -> None:
    """Print lines, and wait no longer than :data:`SAYING_SECONDS` for whoever reads them.

    On a terminal, lines break between words.
    """
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        fill = partial(textwrap.wrap, break_long_words=False, break_on_hyphens=False)
        lines = [part for line in lines for part in fill(line, max(width, 20)) or [line]]
    within(SAYING_SECONDS, partial(_say_all, lines))


def say_notes(notes: Sequence[str], *, quiet: bool) -> None:
    """Print what is worth knowing of a recording, unless only errors are shown."""
    if not quiet:
        _say_all(f"live-ser: {note}" for note in notes)


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
