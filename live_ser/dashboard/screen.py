"""A full-screen page in the terminal, of which only changed lines are drawn."""

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
    """The alternate screen of a terminal; what stood there before comes back at the end.

    Args:
        console: of the terminal.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._drawn: list[Line] = []
        self._size: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now."""
        try:
            # Of the very terminal that is drawn on, wherever the standard streams may go.
            size = os.get_terminal_size(self.console.file.fileno())
        except (AttributeError, OSError, ValueError):
            return self.console.size.width, self.console.size.height
        return size.columns or 80, size.lines or 24  # a terminal that doesn't know says 0

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
        with contextlib.suppress(OSError):  # the terminal was closed: nothing to give back
            self.console.show_cursor(True)
            self.console.set_alt_screen(False)

    def redraw(self) -> None:
        """Draw everything next time: something else may have written on the screen."""
        self._size = None

    def draw(self, lines: Sequence[Line]) -> None:
        """Show these lines, from the top of the screen.

        Args:
            lines: each as wide as the screen; what goes beyond its height is left out.
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
