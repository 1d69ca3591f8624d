"""A full-screen page in the terminal; only changed lines are drawn."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.control import Control
from rich.segment import Segment, Segments

from live_ser.dashboard.lines import Line


class Screen:
    """The alternate screen of a terminal, restored at the end.

    Args:
        console: the console.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._drawn: list[Line] = []
        self._size: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """The current columns and rows."""
        try:
            # Of this terminal, whatever the standard streams are.
            size = os.get_terminal_size(self.console.file.fileno())
        except (AttributeError, OSError, ValueError):
            return self.console.size.width, self.console.size.height
        return size.columns or 80, size.lines or 24  # some terminals report 0

    def __enter__(self) -> Screen:
        self.console.set_alt_screen(True)
        self.console.show_cursor(False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # the terminal was closed
            self.console.show_cursor(True)
            self.console.set_alt_screen(False)

    def redraw(self) -> None:
        """Redraw everything next time: something else may have written to the screen."""
        self._size = None

    def draw(self, lines: Sequence[Line]) -> None:
        """Show lines, from the top of the screen.

        Args:
            lines: lines as wide as the screen; those below it are left out.
        """
        size = self.size
        parts: list[Segment] = []
        if size != self._size:
            self._size = size
            self._drawn = []
            parts += [Control.clear().segment, Control.show_cursor(False).segment]
        for row, line in enumerate(lines[: size[1]]):
            if row < len(self._drawn) and self._drawn[row] == line:
                continue
            parts.append(Control.move_to(0, row).segment)
            parts.extend(line)
        self._drawn = list(lines[: size[1]])
        if parts:
            self.console.print(Segments(parts), end="", crop=False)
