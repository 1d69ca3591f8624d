"""The last minute on the dashboard: how probable each emotion was, and what was heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from live_ser.dashboard.lines import Line, Look, fitted, row
from live_ser.palette import colours
from live_ser.text import abbreviations

if TYPE_CHECKING:
    from live_ser.inference.results import State

SECONDS = 60
_SPANS = (10, 20, 30, 60)  # seconds that are shown: at first there is little to show


@dataclass(frozen=True)
class Moment:
    """One prediction, as the last minute remembers it.

    Attributes:
        end: seconds from the start of the source.
        state: as in a prediction.
        label: the emotion; None in silence and listening.
        probabilities: smoothed, in the order of the labels; None where nothing was classified.
    """

    end: float
    state: State
    label: str | None
    probabilities: tuple[float, ...] | None


def span(now: float) -> int:
    """Seconds that are shown: the last minute, and less of it as long as there is no more.

    Args:
        now: seconds from the start of the source.
    """
    return next((seconds for seconds in _SPANS if now <= seconds), SECONDS)


@lru_cache(maxsize=32)
def strip(
    labels: tuple[str, ...],
    moments: tuple[Moment, ...],
    now: float,
    name: str,
    *,
    left: int,
    field: int,
    width: int,
    look: Look,
    rows: int = 1,
) -> tuple[Line, ...]:
    """The last minute: each stretch in its emotion's colour and with its name; silence is a gap.

    Args:
        labels: in the model's order.
        moments: oldest first.
        now: seconds from the start of the source; the right edge.
        name: what to write in front.
        left: cells of the column of names.
        field: cells of the strip.
        width: cells of the line.
        look: of the terminal.
        rows: that it is thick; names stand in the first.
    """
    runs = list(_runs(labels, _cells(moments, now, field), look))
    below = [("".join(map(_without_letters, text)), style) for text, style in runs]
    heading = f"   {name:<{left - 3}}" if left else ""
    first = row(width, (heading, ""), *runs)
    return (first, *[row(width, (" " * left, ""), *below)] * (rows - 1))


def _without_letters(cell: str) -> str:
    """What stands under a cell of the strip: its colour alone."""
    return " " if cell.isalnum() else cell


def _runs(
    labels: tuple[str, ...], cells: Sequence[Moment | None], look: Look
) -> Iterator[tuple[str, str | Style]]:
    """Text and style of each run of cells that show the same."""
    shades = dict(zip(labels, colours(labels), strict=True))
    short = abbreviations(labels)
    for _, group in groupby(cells, _shown):
        moment, *others = group
        size = 1 + len(others)
        if moment is None or moment.label is None:
            waiting = moment is not None and moment.state == "listening"
            yield (look.pick("·", ".") if waiting else " ") * size, "dim"
        else:
            text = _run_text(moment.label, short[moment.label], size, look)
            style = look.style(shades[moment.label], "reverse")
            if moment.state == "uncertain":
                text = set_cell_size(text.rstrip(), size).replace(" ", look.pick("░", "~"))
                style = look.style(shades[moment.label])
            elif not look.colours:
                text = set_cell_size(text.rstrip(), size).replace(" ", look.pick("▬", "="))
                style = Style.null()
            yield text, style


def _cells(moments: Sequence[Moment], now: float, field: int) -> list[Moment | None]:
    """The moment that each cell of the strip shows: the last one that ended in it."""
    cells: list[Moment | None] = [None] * field
    per_second = field / span(now)
    previous = -1
    for moment in moments:
        # Counted from the start of the source, so that a stretch does not flicker as it moves.
        cell = field - 1 - (int(now * per_second) - int(moment.end * per_second))
        if not 0 <= cell < field:
            continue
        # Between two predictions that follow each other there is no gap.
        for between in range(previous + 1, cell):
            if previous >= 0 and cell - previous <= 1 + 2 * per_second:
                cells[between] = moment
        cells[cell] = moment
        previous = cell
    return cells


def _shown(moment: Moment | None) -> tuple[str, str | None] | None:
    """What a cell shows of its moment."""
    return None if moment is None else (moment.state, moment.label)


def _run_text(label: str, short: str, size: int, look: Look) -> str:
    shown, short = look.text(label), look.text(short)
    if size > cell_len(shown):
        return set_cell_size(f" {shown}", size)
    return set_cell_size(short, size) if size >= cell_len(short) else " " * size


@lru_cache(maxsize=32)
def axis(left: int, field: int, seconds: int, *, width: int) -> Line:
    """The time under the last minute, or under so many seconds of it."""
    middle = f"-{seconds // 2} s"
    start, end = f"-{seconds} s", "now"
    room = field - len(start) - len(end) - len(middle)
    if room < 2:
        return row(width, (" " * left, ""), (f"{start} to {end}", "dim"))
    text = f"{start}{' ' * (room // 2)}{middle}{' ' * (room - room // 2)}{end}"
    return row(width, (" " * left, ""), (text, "dim"))


@lru_cache(maxsize=32)
def heads(left: int, at: int, seconds: int, *, width: int, look: Look) -> Line:
    """The headings over the bars and over so many seconds of them."""
    tick = look.pick("│", "|")
    now = f"now ({tick} newest window alone)"
    minute = f"last {seconds} s"
    return row(width, (" " * left, ""), (fitted(now, at - left - 1, look), "dim"), (minute, "dim"))


@lru_cache(maxsize=32)
def lanes(
    labels: tuple[str, ...],
    moments: tuple[Moment, ...],
    now: float,
    *,
    field: int,
    width: int,
    look: Look,
    rows: int = 1,
) -> tuple[Line, ...]:
    """The last minute of each emotion: how probable it was, each ``rows`` tall."""
    cells = _cells(moments, now, field)
    steps = look.pick(" ▁▂▃▄▅▆▇█", " .:-=+*#@")
    lines = []
    for i, colour in enumerate(colours(labels)):
        shares = [
            moment.probabilities[i] if moment and moment.probabilities else 0.0 for moment in cells
        ]
        for above in reversed(range(rows)):
            heights = (min(8, max(0, int(8 * (rows * p - above) + 0.3))) for p in shares)
            lines.append(row(width, ("".join(steps[h] for h in heights), look.style(colour))))
    return tuple(lines)
