"""The last minute: the label and the probabilities over time."""

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
_SPANS = (10, 20, 30, 60)  # seconds shown: fewer at the start


@dataclass(frozen=True)
class Moment:
    """A prediction of the last minute.

    Attributes:
        end: seconds from the start of the source.
        state: state of the prediction.
        label: the emotion; None in silence and listening.
        probabilities: smoothed, in the order of the labels; None if there are none.
    """

    end: float
    state: State
    label: str | None
    probabilities: tuple[float, ...] | None


@dataclass(frozen=True)
class LastMinute:
    """The predictions of the last minute.

    Attributes:
        labels: labels in the model's order.
        moments: predictions, oldest first.
    """

    labels: tuple[str, ...]
    moments: tuple[Moment, ...]

    @property
    def now(self) -> float:
        """Time of the right edge, in seconds from the start of the source."""
        return self.moments[-1].end if self.moments else 0.0

    @property
    def seconds(self) -> int:
        """Seconds to show: a minute, or less at the start."""
        return next((seconds for seconds in _SPANS if self.now <= seconds), SECONDS)

    def cells(self, count: int) -> list[Moment | None]:
        """The prediction for each of ``count`` cells: the last one that ends in it."""
        cells: list[Moment | None] = [None] * count
        per_second = count / self.seconds
        previous = -1
        for moment in self.moments:
            # Aligned to the start of the source, so that intervals do not flicker as they move.
            cell = count - 1 - (int(self.now * per_second) - int(moment.end * per_second))
            if not 0 <= cell < count:
                continue
            # There is no gap between consecutive predictions.
            for between in range(previous + 1, cell):
                if previous >= 0 and cell - previous <= 1 + 2 * per_second:
                    cells[between] = moment
            cells[cell] = moment
            previous = cell
        return cells


@lru_cache(maxsize=32)
def strip(
    minute: LastMinute,
    name: str,
    *,
    left: int,
    field: int,
    width: int,
    look: Look,
    rows: int = 1,
) -> tuple[Line, ...]:
    """The strip of the last minute: intervals in the colour of their emotion, with its name.

    Args:
        minute: the predictions.
        name: text in the column of names.
        left: cells of the column of names.
        field: cells of the strip.
        width: cells of the line.
        look: capabilities of the terminal.
        rows: height; names are in the first row.
    """
    runs = list(_runs(minute.labels, minute.cells(field), look))
    below = [("".join(map(_without_letters, text)), style) for text, style in runs]
    heading = f"   {name:<{left - 3}}" if left else ""
    first = row(width, (heading, ""), *runs)
    return (first, *[row(width, (" " * left, ""), *below)] * (rows - 1))


def _without_letters(cell: str) -> str:
    """A cell of the strip below its first row: its colour."""
    return " " if cell.isalnum() else cell


def _runs(
    labels: tuple[str, ...], cells: Sequence[Moment | None], look: Look
) -> Iterator[tuple[str, str | Style]]:
    """Text and style of each run of equal cells."""
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


def _shown(moment: Moment | None) -> tuple[str, str | None] | None:
    """The state or label of a cell."""
    return None if moment is None else (moment.state, moment.label)


def _run_text(label: str, short: str, size: int, look: Look) -> str:
    shown, short = look.text(label), look.text(short)
    if size > cell_len(shown):
        return set_cell_size(f" {shown}", size)
    return set_cell_size(short, size) if size >= cell_len(short) else " " * size


@lru_cache(maxsize=32)
def axis(left: int, field: int, seconds: int, *, width: int) -> Line:
    """The time axis below the strip."""
    middle = f"-{seconds // 2} s"
    start, end = f"-{seconds} s", "now"
    room = field - len(start) - len(end) - len(middle)
    if room < 2:
        return row(width, (" " * left, ""), (f"{start} to {end}", "dim"))
    text = f"{start}{' ' * (room // 2)}{middle}{' ' * (room - room // 2)}{end}"
    return row(width, (" " * left, ""), (text, "dim"))


@lru_cache(maxsize=32)
def heads(left: int, at: int, seconds: int, *, width: int, look: Look) -> Line:
    """The headings above the bars and the strips."""
    tick = look.pick("│", "|")
    now = f"now ({tick} newest window alone)"
    minute = f"last {seconds} s"
    return row(width, (" " * left, ""), (fitted(now, at - left - 1, look), "dim"), (minute, "dim"))


@lru_cache(maxsize=32)
def lanes(
    minute: LastMinute,
    *,
    field: int,
    width: int,
    look: Look,
    rows: int = 1,
) -> tuple[Line, ...]:
    """The probability of each emotion in the last minute, each ``rows`` tall."""
    cells = minute.cells(field)
    steps = look.pick(" ▁▂▃▄▅▆▇█", " .:-=+*#@")
    lines = []
    for i, colour in enumerate(colours(minute.labels)):
        shares = [
            moment.probabilities[i] if moment and moment.probabilities else 0.0 for moment in cells
        ]
        for above in reversed(range(rows)):
            heights = (min(8, max(0, int(8 * (rows * p - above) + 0.3))) for p in shares)
            lines.append(row(width, ("".join(steps[h] for h in heights), look.style(colour))))
    return tuple(lines)
