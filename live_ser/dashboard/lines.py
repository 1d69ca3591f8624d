"""Lines of text with styles, and the capabilities of the terminal.

A line is a tuple of segments. Markup is not parsed, and text from outside passes through
:func:`live_ser.text.printable` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from live_ser.palette import Colour
from live_ser.text import printable

Line = tuple[Segment, ...]
Part = tuple[str, str | Style]

VALUE = 8  # cells of the column of numbers


@dataclass(frozen=True)
class Look:
    """The capabilities of a terminal.

    Attributes:
        unicode: whether it supports block characters, not only ASCII.
        colours: number of colours: 0, 16, 256 or 2**24.
    """

    unicode: bool = True
    colours: int = 2**24

    @classmethod
    def of(cls, console: Console) -> Look:
        """The capabilities of a console."""
        system = None if console.no_color else console.color_system
        colours = {None: 0, "256": 256, "truecolor": 2**24}.get(system, 16)
        unicode = console.encoding.lower().replace("-", "").startswith("utf")
        return cls(unicode=unicode, colours=colours)

    def text(self, text: str) -> str:
        """``text`` in characters that the terminal supports."""
        text = printable(text)
        return text if self.unicode else text.encode("ascii", "replace").decode("ascii")

    def pick(self, fancy: str, plain: str) -> str:
        """``fancy``, or ``plain`` in ASCII."""
        return fancy if self.unicode else plain

    def style(self, colour: Colour, extra: str = "") -> Style:
        """The style of a colour, as far as the terminal supports it."""
        if not self.colours:
            return Style.parse(extra)
        return Style.parse(f"{extra} {colour.hex if self.colours > 16 else colour.ansi}")


def row(width: int, *parts: Part) -> Line:
    """A line of styled parts, cut or padded to ``width`` cells."""
    segments: list[Segment] = []
    left = width
    for text, style in parts:
        shown = text if cell_len(text) <= left else set_cell_size(text, left)
        if shown:
            segments.append(Segment(shown, Style.parse(style) if isinstance(style, str) else style))
        left -= cell_len(shown)
    if left:
        segments.append(Segment(" " * left))
    return tuple(segments)


@lru_cache(maxsize=32)
def blank(width: int) -> Line:
    """An empty line."""
    return row(width)


def beside(left: Sequence[Line], right: Sequence[Line]) -> list[Line]:
    """Two blocks of the same height side by side."""
    return [a + b for a, b in zip(left, right, strict=True)]


def fitted(text: str, width: int, look: Look) -> str:
    """``text`` in exactly ``width`` cells, with an ellipsis if it is cut."""
    text = look.text(text)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    mark = look.pick("…", "~")
    return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + mark, width)


def gutter(labels: Sequence[str]) -> int:
    """Cells of the column of names."""
    return 4 + min(max(len("activation"), *(cell_len(label) for label in labels)), 14)
