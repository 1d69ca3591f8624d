"""Progress over many files, on one line of a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from live_ser.text import clock


class FileProgress:
    """A bar with files, hours of sound, times real time, and the time that is left.

    Args:
        console: console to draw on.
        paths: paths of the files.
    """

    def __init__(self, console: Console, paths: Sequence[str]) -> None:
        self._sizes = [_size(path) for path in paths]
        self._shares: dict[int, float] = {}  # of the files that are being classified
        self._done = 0  # files
        self._total = sum(self._sizes)
        self._bytes = 0
        self._seconds = 0.0
        self._started = time.monotonic()
        columns = BarColumn(None), TextColumn("{task.fields[text]}", markup=False)
        self._bar = Progress(*columns, console=console, transient=True, refresh_per_second=4)
        self._task = self._bar.add_task("", total=self._total, text="")

    def update(self, number: int, share: float) -> None:
        """Set the share of a file that is done."""
        self._shares[number] = share
        self._draw()

    def done(self, seconds: float) -> None:
        """The next file is done; it has so many seconds of sound."""
        self._shares.pop(self._done, None)
        self._bytes += self._sizes[self._done]
        self._done += 1
        self._seconds += seconds
        self._draw()

    def __enter__(self) -> FileProgress:
        self._bar.start()
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _draw(self) -> None:
        begun = sum(self._sizes[number] * share for number, share in self._shares.items())
        spent = time.monotonic() - self._started
        share = (self._bytes + begun) / (self._total or 1)
        text = [f"{self._done}/{len(self._sizes)} files", f"{self._seconds / 3600:.2f} h"]
        if self._seconds:
            text.append(f"{self._seconds / spent:.0f} times real time")
        if share > 0.01 or spent > 5:
            text.append(f"{clock(spent / share - spent) if share else '?'} left")
        self._bar.update(self._task, completed=self._bytes + begun, text=", ".join(text))


def _size(path: str) -> int:
    try:
        return max(1, os.stat(path).st_size)
    except OSError:
        return 1
