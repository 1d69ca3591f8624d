"""Messages on standard error."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from functools import partial

from live_ser.live.deadlines import within
from live_ser.system.streams import silence
from live_ser.text import printable

SAYING_SECONDS = 0.5  # for printing to standard error, at most


def say(line: str) -> None:
    """Print a line on standard error; it never fails."""
    try:
        print(printable(line), file=sys.stderr, flush=True)
    except OSError:  # no reader, or a full disk: only the line is lost
        silence(sys.stderr)


def say_in_time(lines: Sequence[str]) -> None:
    """Print lines, and wait at most :data:`SAYING_SECONDS` for their reader.

    On a terminal, lines are wrapped between words.
    """
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        fill = partial(textwrap.wrap, break_long_words=False, break_on_hyphens=False)
        lines = [part for line in lines for part in fill(line, max(width, 20)) or [line]]
    within(SAYING_SECONDS, partial(_say_all, lines))


def say_notes(notes: Sequence[str], *, quiet: bool) -> None:
    """Print warnings about a recording, unless ``quiet``."""
    if not quiet:
        _say_all(f"live-ser: {note}" for note in notes)


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
