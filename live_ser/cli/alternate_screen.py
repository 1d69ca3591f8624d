"""The alternate screen of a terminal, on which a page of text stands with a level under it."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import suppress

from live_ser.live.keys import NO_KEY, REDRAW, SUSPEND

BOLD, PLAIN = "\033[1m", "\033[0m"

_BAR = 30  # columns of the level, at most
_BESIDE_BAR = 24  # columns of the words beside it
_USUAL = 80  # columns, where the terminal does not tell


def _columns_of_terminal() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL
    except OSError:
        return _USUAL


class AlternateScreen:
    """The other screen of a terminal, on which a page stands; it is given back at the end.

    Args:
        key: tells which key was pressed since it was last asked.
        columns: tells how many columns the terminal has.
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
        """The key that was pressed; before a stop the terminal is given back."""
        key = self._key()
        if key == SUSPEND:
            self.__exit__()
            return NO_KEY
        if key == REDRAW:
            self.__enter__()
        return key

    def show(self, lines: Sequence[str]) -> None:
        """Show lines in place of those before; what is too long for the terminal is wrapped."""
        wrapped = [part for line in lines for part in _wrapped(line, self._columns())]
        self._write("\033[H\033[2J" + "\n".join(wrapped))

    def meter(self, share: float, speech: float) -> None:
        """Show a level and the seconds of speech under the lines.

        Args:
            share: of the level, 0 to 1.
            speech: in seconds.
        """
        room = max(0, min(_BAR, self._columns() - _BESIDE_BAR))
        columns = round(share * room)
        bar = "█" * columns + "·" * (room - columns)
        line = f" level {bar}   speech {speech:4.1f} s"
        self._write(f"\r{line[: self._columns() - 1]}\033[K")

    def _write(self, text: str) -> None:
        text = text.translate({ord("█"): "#", ord("·"): "."}) if self._is_plain else text
        with suppress(OSError):  # the terminal was closed: what was accepted is kept
            sys.stderr.write(text)
            sys.stderr.flush()


def _wrapped(line: str, columns: int) -> list[str]:
    """A line in lines that a terminal has room for, each indented like the first."""
    if len(line.replace(BOLD, "").replace(PLAIN, "")) < columns:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line.strip(), max(2, columns - 1), initial_indent=indent, subsequent_indent=indent
    )
