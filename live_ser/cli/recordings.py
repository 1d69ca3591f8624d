"""Checks of the recordings on the command line, and a count of skipped files."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from rich.console import Console
from rich.status import Status

from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.text import counted

_KINDS = 3  # of skipped files to list
_SILENT_SECONDS = 1.0  # of looking for recordings
_SHOWN_SECONDS = 0.25  # between two counts that are shown


def check_named(paths: Sequence[str], sounds: Sequence[str]) -> None:
    """Check that recordings are named.

    Args:
        paths: files, folders and patterns; ``-`` is a list on standard input.
        sounds: files that ``--from`` names; ``-`` is sound on standard input.

    Raises:
        UsageError: none are named, or standard input has two uses.
    """
    if not (paths or sounds):
        raise UsageError("no recordings are named", "live-ser file PATH")
    if "-" in paths and "-" in sounds:
        raise UsageError("standard input cannot be a list of names and sound", "name one of them")


def found(paths: Iterable[str], others: LeftAlone, *, quiet: bool) -> list[str]:
    """The recordings that are named; a terminal shows how many, if looking for them takes long.

    Args:
        paths: their paths, as they are found.
        others: the files that are left alone meanwhile.
        quiet: whether nothing is shown.
    """
    if quiet or not sys.stderr.isatty():
        return list(paths)
    names: list[str] = []
    with ExitStack() as stack:
        status = Status("", console=Console(stderr=True))
        stack.callback(status.stop)
        due = time.monotonic() + _SILENT_SECONDS

        def show() -> None:
            nonlocal due
            if time.monotonic() < due:
                return
            due = time.monotonic() + _SHOWN_SECONDS
            files = counted(len(names) + others.count, "file")
            status.update(f"looking for recordings: {len(names)} among {files}; Ctrl-C ends it")
            status.start()

        others.seen = show
        for name in paths:
            names.append(name)
            show()
    return names


class LeftAlone:
    """Counts the files in folders that are not sound files, by extension."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self.seen: Callable[[], None] = lambda: None

    def add(self, name: str) -> None:
        """Count a file."""
        self._kinds[os.path.splitext(name)[1].lower() or "without an ending"] += 1
        self.seen()

    @property
    def count(self) -> int:
        """How many there were."""
        return self._kinds.total()

    def say(self) -> None:
        """Print how many there were, with the most frequent extensions."""
        if not self._kinds:
            return
        kinds = [f"{count} {kind}" for kind, count in self._kinds.most_common(_KINDS)]
        if len(self._kinds) > _KINDS:
            kinds.append("…")
        files = counted(self._kinds.total(), "file")
        say(f"left alone {files} of other kinds ({', '.join(kinds)})")
