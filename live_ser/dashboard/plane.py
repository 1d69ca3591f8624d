"""The plane of valence and activation."""

from __future__ import annotations

from functools import lru_cache

from live_ser.dashboard.lines import Line, Look, Part, row

_FEWEST = 5  # rows, at least
_WIDEST = 44
_MARGIN = 3  # cells on the left


def plane_width(rows: int) -> int:
    """The width of a plane with so many rows, in cells; 0 if it would be too small."""
    return min(_WIDEST, _MARGIN + 4 * rows + 1) if rows >= _FEWEST else 0


@lru_cache(maxsize=32)
def plane(
    where: tuple[float | None, float | None] | None,
    stale: bool,
    *,
    width: int,
    height: int,
    look: Look,
) -> tuple[Line, ...]:
    """Valence from left to right, activation from bottom to top, with a mark for the voice.

    Args:
        where: valence, -1 to 1, and activation, 0 to 1; None for no mark.
        stale: whether it is about earlier speech.
        width: cells.
        height: rows.
        look: capabilities of the terminal.
    """
    inner = width - _MARGIN - 1
    valence, activation = where or (None, None)
    column = at = None
    if valence is not None and activation is not None:
        column = min(inner - 1, int((valence + 1) / 2 * inner))
        at = min(height - 1, int((1 - activation) * height))
    mark: Part = (
        look.pick("○" if stale else "●", "o" if stale else "O"),
        "" if stale else "bold",
    )
    lines = []
    for line in range(height):
        text = _background(line, inner, height, look)
        parts: list[Part] = [(" " * _MARGIN, "")]
        if line == at and column is not None:
            parts += [(text[:column], "dim"), mark, (text[column + 1 :], "dim")]
        else:
            parts.append((text, "dim"))
        lines.append(row(width, *parts))
    return tuple(lines)


def _background(line: int, inner: int, height: int, look: Look) -> str:
    """A row of the axes and their names."""
    if line == height // 2:
        left, right = "unpleasant ", " pleasant"
        track = look.pick("─", "-") * max(0, inner - len(left) - len(right))
        return (left + track + right)[:inner].ljust(inner)
    name = {0: " aroused ", height - 1: " calm "}.get(line, look.pick("│", "|"))
    return name.center(inner)[:inner]
