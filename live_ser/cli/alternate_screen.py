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
_USUAL = 80, 24  # columns and rows, if the terminal does not report them


def _size_of_terminal() -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        return _USUAL
    return columns or _USUAL[0], rows or _USUAL[1]


class AlternateScreen:
    """The alternate screen of a terminal, restored at the end.

    Args:
        key: function that returns the key that was pressed.
        size: function that returns the columns and rows of the terminal.
    """

    def __init__(
        self, key: Callable[[], str], size: Callable[[], tuple[int, int]] = _size_of_terminal
    ) -> None:
        self._key, self._size = key, size
        self._lines: Sequence[str] = ()  # shown now
        self._shown_at = size()
        self._is_plain = "utf" not in (sys.stderr.encoding or "").lower()

    def __enter__(self) -> AlternateScreen:
        self._write("\033[?1049h\033[?25l")
        return self

    def __exit__(self, *_: object) -> None:
        self._write("\033[?25h\033[?1049l")

    def key(self) -> str:
        """The key that was pressed, other than those for the screen.

        The terminal is restored before a stop, and drawn anew when its size changes.
        """
        key = self._key()
        if key == SUSPEND:
            self.__exit__()
            return NO_KEY
        if key == REDRAW:
            self.__enter__()
        if key == REDRAW or self._size() != self._shown_at:
            self.show(self._lines)
        return NO_KEY if key == REDRAW else key

    def show(self, lines: Sequence[str]) -> None:
        """Show lines in place of the last ones; long lines are wrapped.

        Where they are more than the terminal has rows, empty lines are left out first, then those
        before the last two.
        """
        self._lines, self._shown_at = lines, self._size()
        columns, rows = self._shown_at
        wrapped = [_wrapped(line, min(columns, _USUAL[0])) for line in lines]
        self._write("\033[H\033[2J" + "\n".join(_fitting(wrapped, rows)))

    def meter(self, share: float, speech: float) -> None:
        """Show the level and the seconds of speech below the lines.

        Args:
            share: the level, 0 to 1.
            speech: seconds of speech.
        """
        width = self._size()[0]
        room = max(0, min(_BAR, width - _BESIDE_BAR))
        columns = round(share * room)
        bar = "█" * columns + "·" * (room - columns)
        line = f" level {bar}   speech {speech:4.1f} s"
        self._write(f"\r{line[: width - 1]}\033[K")

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


def _fitting(lines: Sequence[Sequence[str]], rows: int) -> list[str]:
    """The parts of wrapped lines that fit into rows; the last line, for the level, always does."""
    full = [line for line in lines[:-1] if line[0].strip()]
    for kept in (lines[:-1], full):
        parts = [part for line in kept for part in line]
        if len(parts) < rows:
            return [*parts, ""]
    tail = [part for line in full[-2:] for part in line][: rows - 1]
    return [*parts[: rows - 1 - len(tail)], *tail, ""]
