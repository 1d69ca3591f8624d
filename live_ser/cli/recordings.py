"""Checks of the recordings on the command line, and a count of skipped files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.text import counted

_KINDS = 3  # of skipped files to list


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


class LeftAlone:
    """Counts the files in folders that are not sound files, by extension."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Count a file."""
        self._kinds[os.path.splitext(name)[1].lower() or "without an ending"] += 1

    def say(self) -> None:
        """Print how many there were, with the most frequent extensions."""
        if not self._kinds:
            return
        kinds = [f"{count} {kind}" for kind, count in self._kinds.most_common(_KINDS)]
        if len(self._kinds) > _KINDS:
            kinds.append("…")
        files = counted(self._kinds.total(), "file")
        say(f"left alone {files} of other kinds ({', '.join(kinds)})")
