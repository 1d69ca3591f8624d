"""The progress bar of many recordings."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console

from live_ser.batch.progress import FileProgress
from live_ser.records.formats import Style


def progress_bar(
    paths: Sequence[str], style: Style, *, output: str | None, quiet: bool
) -> FileProgress:
    """A progress bar on standard error, if that is a terminal without other output."""
    alone = output or style == "table" or not sys.stdout.isatty()
    shown = alone and not quiet and sys.stderr.isatty()
    return FileProgress(Console(stderr=True, quiet=not shown), paths)
