"""The mel spectrogram on the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from live_ser.dashboard.lines import VALUE, Line, Look, row

# From dark to bright, in even steps of lightness, so that it is readable without colour vision.
_HEAT = (
    *("#0b0724", "#1d1147", "#37106b", "#51127c", "#6b1d81", "#87267f", "#a3307e", "#c03a76"),
    *("#d9466b", "#ec5860", "#f8765c", "#fd9a6a", "#febb81", "#fddc9e"),
)
# The same for terminals with 256 colours; the nearest ones would include blues.
_HEAT_256 = (
    *("#080808", "#1c1c1c", "#303030", "#5f005f", "#5f005f", "#87005f", "#87005f", "#af005f"),
    *("#d7005f", "#d75f5f", "#ff875f", "#ffaf5f", "#ffd787", "#ffffaf"),
)


@lru_cache(maxsize=32)
def spectrogram(
    columns: tuple[bytes, ...],
    highest: float,
    seconds: float,
    *,
    left: int,
    width: int,
    height: int,
    look: Look,
) -> tuple[Line, ...]:
    """The mel spectrogram of the newest seconds.

    Args:
        columns: oldest first; in each a byte a band, lowest first, 0 silent to 255 loud.
        highest: upper edge of the highest band, in Hz.
        seconds: seconds of a column.
        left: cells of the column of names.
        width: cells.
        height: lines.
        look: capabilities of the terminal.
    """
    field = max(4, width - left - VALUE)
    halves = look.colours > 16 and look.unicode
    steps = look.pick(" ░▒▓█", " .:+#")
    picture = _picture(columns[-field:], height * (2 if halves else 1))
    missing = field - len(columns[-field:])
    empty = Segment(" " * missing, _heat(0, 0, look.colours) if halves else None)
    lines = []
    for i in range(height):
        name = {0: "spectrum", 1: f"last {seconds * field:.0f} s"}.get(i, "")
        edge = {0: f"{highest / 1000:.3g} kHz", height - 1: "0"}.get(i, "")
        if halves:
            cells = _half_blocks(picture[2 * i], picture[2 * i + 1], look.colours)
        else:
            shades = picture[i].astype(int) * len(steps) // 256
            cells = [Segment("".join(steps[shade] for shade in shades))]
        before = row(left, (f"   {name:<{left - 3}}", "dim" if i else ""))
        after = row(width - left - field, (f"{edge:>{VALUE - 1}}", "dim"))
        lines.append((*before, empty, *cells, *after))
    return tuple(lines)


def _picture(columns: Sequence[bytes], height: int) -> NDArray[np.uint8]:
    """Pixels ``[height, columns]``, highest band first, each the mean of the bands in it."""
    if not columns:
        return np.zeros((height, 0), np.uint8)
    bands = np.stack([np.frombuffer(column, np.uint8) for column in columns], axis=1)
    edges = np.arange(height) * len(bands) // height
    sizes = np.maximum(np.diff(edges, append=len(bands)), 1)
    sums = np.add.reduceat(bands, edges, axis=0, dtype=np.int64)
    return (sums // sizes[:, np.newaxis])[::-1].astype(np.uint8)


def _half_blocks(upper: NDArray[np.uint8], lower: NDArray[np.uint8], colours: int) -> list[Segment]:
    """Cells of two pixels each; neighbours of the same colours in one segment."""
    shades = len(_HEAT)
    codes = upper.astype(int) * shades // 256 * shades + lower.astype(int) * shades // 256
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    values = codes.tolist()
    return [
        _half_block(values[start], end - start, colours)
        for start, end in pairwise(edges)
        if end > start
    ]


@lru_cache(maxsize=8192)
def _half_block(code: int, size: int, colours: int) -> Segment:
    return Segment("▀" * size, _heat(*divmod(code, len(_HEAT)), colours))


@cache
def _heat(upper: int, lower: int, colours: int) -> Style:
    heat = _HEAT if colours > 256 else _HEAT_256
    return Style(color=Color.parse(heat[upper]), bgcolor=Color.parse(heat[lower]))
