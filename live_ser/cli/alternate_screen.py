"""The alternate screen of a terminal, with a page of text and a level below it."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import suppress

from live_ser.live.keys import NO_KEY, REDRAW, SUSPEND

BOLD, PLAIN = "\033[1m", "\033[0m"

_BAR = 30  # columns of the level, at most
_BESIDE_BAR = 24  # columns of the text beside it
_USUAL = 80  # columns, if the terminal does not report them


def _columns_of_terminal() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL
    except OSError:
        return _USUAL


class AlternateScreen:
    """The alternate screen of a terminal, restored at the end.

    Args:
        key: function that returns the key that was pressed.
        columns: function that returns the columns of the terminal.
    """

    def __init__(
        self, key: Callable[[], str], columns: Callable[[], int] = _columns_of_terminal
    ) -> None:
        self._key, self._columns = key, columns
        self._is_plain = "utf" not in (sys.stderr.encoding or "").lower()

    def __enter__(self) -> AlternateScreen:
        self._write("\033[?1049h\033[?25l")
        return self

    def __exit__(self, *_: object) -> None:
        self._write("\033[?25h\033[?1049l")

    def key(self) -> str:
        """The key that was pressed; the terminal is restored before a stop."""
        key = self._key()
        if key == SUSPEND:
            self.__exit__()
            return NO_KEY
        if key == REDRAW:
            self.__enter__()
        return key

    def show(self, lines: Sequence[str]) -> None:
        """Show lines in place of the last ones; long lines are wrapped."""
        wrapped = [part for line in lines for part in _wrapped(line, self._columns())]
        self._write("\033[H\033[2J" + "\n".join(wrapped))

    def meter(self, share: float, speech: float) -> None:
        """Show the level and the seconds of speech below the lines.

        Args:
            share: the level, 0 to 1.
            speech: seconds of speech.
        """
        room = max(0, min(_BAR, self._columns() - _BESIDE_BAR))
        columns = round(share * room)
        bar = "█" * columns + "·" * (room - columns)
        line = f" level {bar}   speech {speech:4.1f} s"
        self._write(f"\r{line[: self._columns() - 1]}\033[K")

    def _write(self, text: str) -> None:
        text = text.translate({ord("█"): "#", ord("·"): "."}) if self._is_plain else text
        with suppress(OSError):  # the terminal was closed; accepted takes are stored
            sys.stderr.write(text)
            sys.stderr.flush()


def _wrapped(line: str, columns: int) -> list[str]:
    """A line wrapped to the terminal, each part indented like the first."""
    if len(line.replace(BOLD, "").replace(PLAIN, "")) < columns:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line.strip(), max(2, columns - 1), initial_indent=indent, subsequent_indent=indent
    )
