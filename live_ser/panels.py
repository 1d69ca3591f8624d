"""The pieces of the dashboard: each a pure function from values to lines of the terminal.

A line is a tuple of segments that together are exactly as wide as asked. Nothing in here reads
markup, and text from outside goes through :func:`live_ser.printable.printable` first: it cannot
act on the terminal. What has not changed comes from a cache, so that drawing again is cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from live_ser.gauges import Level
from live_ser.lettering import huge, large
from live_ser.palette import Colour, colours
from live_ser.printable import printable
from live_ser.screen import Line

if TYPE_CHECKING:
    from live_ser.view import Moment

Part = tuple[str, str | Style]

STRIP_SECONDS = 60
_LOUDEST, _SOFTEST = 0.0, -60.0  # dB, the ends of the level meter


@dataclass(frozen=True)
class Look:
    """What a terminal can show.

    Attributes:
        unicode: block characters, not ASCII alone.
        colours: how many of them: 0, 16, 256 or 2**24.
    """

    unicode: bool = True
    colours: int = 2**24

    @classmethod
    def of(cls, console: Console) -> Look:
        """The look of a console's terminal."""
        system = None if console.no_color else console.color_system
        colours = {None: 0, "256": 256, "truecolor": 2**24}.get(system, 16)
        unicode = console.encoding.lower().replace("-", "").startswith("utf")
        return cls(unicode=unicode, colours=colours)

    def text(self, text: str) -> str:
        """``text`` in characters that the terminal has."""
        text = printable(text)
        return text if self.unicode else text.encode("ascii", "replace").decode("ascii")

    def pick(self, fancy: str, plain: str) -> str:
        """``fancy``, or ``plain`` in ASCII."""
        return fancy if self.unicode else plain

    def style(self, colour: Colour, extra: str = "") -> Style:
        """The style of a colour, as far as the terminal has colours."""
        if not self.colours:
            return Style.parse(extra)
        return Style.parse(f"{extra} {colour.hex if self.colours > 16 else colour.ansi}")


def row(width: int, *parts: Part) -> Line:
    """One line: parts of text with their styles, cut or filled to ``width`` cells."""
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


@lru_cache(maxsize=4)
def blank(width: int) -> Line:
    """An empty line."""
    return row(width)


def beside(left: Sequence[Line], right: Sequence[Line]) -> list[Line]:
    """Two pieces of the same height next to each other."""
    return [a + b for a, b in zip(left, right, strict=True)]


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, 0:07:09."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def fitted(text: str, width: int, look: Look) -> str:
    """``text`` in exactly ``width`` cells, with an ellipsis where it is cut."""
    text = look.text(text)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    mark = look.pick("…", "~")
    return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + mark, width)


def gutter(labels: Sequence[str]) -> int:
    """Cells of the column of names on the left."""
    return 4 + min(max(len("activation"), *(cell_len(label) for label in labels)), 14)


VALUE = 8  # cells of the column of numbers on the right


@lru_cache(maxsize=4)
def header(left: tuple[str, ...], notice: str, right: str, *, width: int, look: Look) -> Line:
    """The title line.

    Args:
        left: what is heard, and by which model.
        notice: what is kept of it; shown so that nobody overlooks it.
        right: the time.
        width: cells.
        look: of the terminal.
    """
    title, gap = " live-ser  ", "  " if notice else ""
    room = max(0, width - len(title) - len(notice) - len(gap) - len(right) - 2)
    return row(
        width,
        (title, "bold"),
        (fitted(look.pick(" · ", " - ").join(left), room, look), "dim"),
        (" ", ""),
        (notice, "bold red" if look.colours else "bold"),
        (gap + right, ""),
    )


@lru_cache(maxsize=4)
def verdict(
    word: str,
    captions: tuple[str, ...],
    colour: Colour | None,
    *,
    width: int,
    height: int,
    look: Look,
) -> tuple[Line, ...]:
    """What is heard now, large, with up to three lines beside it.

    Args:
        word: an emotion or a state.
        captions: lines beside it, the first one bold.
        colour: of the word; None for a state.
        width: cells.
        height: 5 or 3 lines.
        look: of the terminal.
    """
    style = look.style(colour, "bold") if colour else Style.parse("bold")
    lettered = None
    at = 78 if height == 5 else 43
    if look.unicode and width >= at + 22:
        lettered = huge(word, at - 4) if height == 5 else large(word, at - 4)
    letters = lettered or _spaced(look.text(word), height, min(at - 4, width - 4))
    at = min(at, max((cell_len(line) for line in letters), default=0) + 5) if width < 66 else at
    first = (height - 3) // 2
    beside_it = ["", *captions] if first else list(captions)
    lines = []
    for i in range(height):
        caption = look.text(beside_it[i]) if i < len(beside_it) else ""
        lines.append(
            row(
                width,
                ("  ", ""),
                (set_cell_size(letters[i], max(0, at - 2)), style),
                (caption, "bold" if i == first else "dim"),
            )
        )
    return tuple(lines)


def _spaced(word: str, height: int, width: int) -> tuple[str, ...]:
    """A word without large letters: spaced capitals in the middle line."""
    spaced = " ".join(word.upper())
    shown = spaced if cell_len(spaced) <= width else word.upper()
    lines = [""] * height
    lines[height // 2] = shown
    return tuple(lines)


Kind = str  # of bars: "sure", "unsure", "stale"


@lru_cache(maxsize=4)
def bars(
    labels: tuple[str, ...],
    smoothed: tuple[float, ...] | None,
    raw: tuple[float, ...] | None,
    said: str | None,
    kind: Kind,
    *,
    width: int,
    look: Look,
) -> tuple[Line, ...]:
    """A bar for each emotion.

    Args:
        labels: in the model's order.
        smoothed: probability of each, the length of its bar; None before the first judgement.
        raw: probability of each in this window alone, the tick on its bar.
        said: the emotion that is shown as heard; marked.
        kind: ``sure``, ``unsure``, or ``stale`` for what was said before a silence.
        width: cells.
        look: of the terminal.
    """
    left = gutter(labels)
    field = max(4, width - left - VALUE)
    lines = []
    for i, (label, colour) in enumerate(zip(labels, colours(labels), strict=True)):
        top = label == said and kind != "stale"
        name = "bold" if top else ("dim" if kind == "stale" or not smoothed else "")
        parts: list[Part] = [
            (look.pick(" ▸ ", " > ") if top else "   ", "bold"),
            (fitted(label, left - 4, look) + " ", name),
        ]
        if smoothed:
            tick = min(field - 1, int(raw[i] * field)) if raw else None
            if tick is not None and abs(tick + 0.5 - smoothed[i] * field) < _TICK_FROM:
                tick = None
            parts += _bar(smoothed[i], tick, kind, field=field, style=look.style(colour), look=look)
            percent = f"{100 * smoothed[i]:.0f} %"
            parts.append((f"{percent:>{VALUE - 1}}", name))
        lines.append(row(width, *parts))
    return tuple(lines)


_TICK_FROM = 1.5  # cells between the smoothed value and the raw one under which both are one
_FILLS = {"sure": ("█", "#"), "unsure": ("▒", "="), "stale": ("░", ".")}
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def _bar(
    share: float, tick: int | None, kind: Kind, *, field: int, style: Style, look: Look
) -> list[Part]:
    """A bar of ``share`` of the field, with a thin tick somewhere on it or beyond it."""
    fill = look.pick(*_FILLS[kind])
    eighths = round(share * field * 8)
    whole, rest = divmod(eighths, 8)
    body = fill * whole
    if rest and kind == "sure" and look.unicode:
        body += _EIGHTHS[rest]
    elif rest >= 4:
        body += fill
    body = set_cell_size(body, field)
    if tick is None or kind == "stale":
        return [(body, style)]
    return [
        (body[:tick], style),
        (look.pick("│", "|"), ""),
        (body[tick + 1 :], style),
    ]


@lru_cache(maxsize=4)
def activation(value: float | None, stale: bool, left: int, *, width: int, look: Look) -> Line:
    """How aroused the voice sounds, from calm to aroused."""
    field = max(4, width - left - VALUE)
    inner = max(1, field - len("calm ") - len(" aroused"))
    track = look.pick("─", "-") * inner
    name: Part = (f"   {'activation':<{left - 3}}", "dim" if stale or value is None else "")
    if value is None:
        return row(width, name, (f"calm {track} aroused", "dim"))
    at = min(inner - 1, int(value * inner))
    return row(
        width,
        name,
        ("calm ", "dim"),
        (track[:at], "dim"),
        (look.pick("○" if stale else "●", "o" if stale else "O"), "" if stale else "bold"),
        (track[at + 1 :], "dim"),
        (" aroused", "dim"),
        (f"{value:>{VALUE - 1}.2f}", "dim" if stale else ""),
    )


@lru_cache(maxsize=4)
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
) -> Line:
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
    """
    parts: list[Part] = [(f"   {name:<{left - 3}}" if left else "", "")]
    shades = dict(zip(labels, colours(labels), strict=True))
    short = _short_names(labels)
    cells = _cells(moments, now, field)
    start = 0
    while start < field:
        end = start
        while end < field and _same(cells[end], cells[start]):
            end += 1
        moment = cells[start]
        size = end - start
        if moment is None or moment.label is None:
            waiting = moment is not None and moment.state == "listening"
            parts.append(((look.pick("·", ".") if waiting else " ") * size, "dim"))
        else:
            text = _run_text(moment.label, short[moment.label], size, look)
            style = look.style(shades[moment.label], "reverse")
            if moment.state == "uncertain":
                text = set_cell_size(text.rstrip(), size).replace(" ", look.pick("░", "~"))
                style = look.style(shades[moment.label])
            elif not look.colours:
                text = set_cell_size(text.rstrip(), size).replace(" ", look.pick("▬", "="))
                style = Style.null()
            parts.append((text, style))
        start = end
    return row(width, *parts)


def _cells(moments: Sequence[Moment], now: float, field: int) -> list[Moment | None]:
    """The moment that each cell of the strip shows: the last one that ended in it."""
    cells: list[Moment | None] = [None] * field
    per_second = field / STRIP_SECONDS
    previous = -1
    for moment in moments:
        # Counted from the start of the source, so that a stretch does not flicker as it moves.
        cell = field - 1 - (int(now * per_second) - int(moment.end * per_second))
        if not 0 <= cell < field:
            continue
        # Between two judgements that follow each other there is no gap.
        for between in range(previous + 1, cell):
            if previous >= 0 and cell - previous <= 1 + 2 * per_second:
                cells[between] = moment
        cells[cell] = moment
        previous = cell
    return cells


def _same(a: Moment | None, b: Moment | None) -> bool:
    if a is None or b is None:
        return a is b
    return (a.state, a.label) == (b.state, b.label)


def _short_names(labels: Sequence[str]) -> dict[str, str]:
    """The shortest beginnings that tell the labels apart."""
    names = {}
    for label in labels:
        others = [other for other in labels if other != label]
        size = 1
        while size < len(label) and any(other.startswith(label[:size]) for other in others):
            size += 1
        names[label] = label[:size]
    return names


def _run_text(label: str, short: str, size: int, look: Look) -> str:
    shown, short = look.text(label), look.text(short)
    if size >= cell_len(shown) + 2:
        return set_cell_size(f" {shown}", size)
    return set_cell_size(short, size) if size >= cell_len(short) else " " * size


@lru_cache(maxsize=4)
def axis(left: int, field: int, *, width: int) -> Line:
    """The time under the last minute."""
    middle = "-30 s"
    start, end = "-60 s", "now"
    room = field - len(start) - len(end) - len(middle)
    if room < 2:
        return row(width, (" " * left, ""), (f"{start} to {end}", "dim"))
    text = f"{start}{' ' * (room // 2)}{middle}{' ' * (room - room // 2)}{end}"
    return row(width, (" " * left, ""), (text, "dim"))


@lru_cache(maxsize=2)
def heads(left: int, at: int, *, width: int, look: Look) -> Line:
    """The headings over the bars and over their last minute."""
    tick = look.pick("│", "|")
    now = f"now ({tick} this window alone)"
    return row(
        width, (" " * left, ""), (fitted(now, at - left - 1, look), "dim"), ("last minute", "dim")
    )


@lru_cache(maxsize=4)
def lanes(
    labels: tuple[str, ...],
    moments: tuple[Moment, ...],
    now: float,
    *,
    field: int,
    width: int,
    look: Look,
) -> tuple[Line, ...]:
    """The last minute of each emotion: how probable it was."""
    cells = _cells(moments, now, field)
    steps = look.pick(" ▁▂▃▄▅▆▇█", " .:-=+*#@")
    lines = []
    for i, colour in enumerate(colours(labels)):
        heights = (
            int(8 * moment.probabilities[i] + 0.3) if moment and moment.probabilities else 0
            for moment in cells
        )
        lines.append(row(width, ("".join(steps[h] for h in heights), look.style(colour))))
    return tuple(lines)


@lru_cache(maxsize=4)
def level(now: Level, left: int, *, width: int, look: Look) -> Line:
    """The input level, with the held peak and a mark where it clipped."""
    field = max(8, width - left - VALUE)
    clip = " CLIP " if now.clipped else ""
    room = field - len(" CLIP ")
    body = set_cell_size(look.pick("▄", "#") * round(_share(now.rms) * room), room)
    peak = min(room - 1, int(_share(now.peak) * room))
    tick = look.pick("│", "|") if peak > 0 else body[peak]
    number = f"{now.rms:.0f} dB" if now.rms > _SOFTEST * 2 else "none"
    return row(
        width,
        (f"   {'level':<{left - 3}}", ""),
        (body[:peak], ""),
        (tick, "bold"),
        (body[peak + 1 :], ""),
        (clip or " " * len(" CLIP "), "bold reverse" if clip else ""),
        (f"{number:>{VALUE - 1}}", ""),
    )


def _share(decibels: float) -> float:
    return min(1.0, max(0.0, (decibels - _SOFTEST) / (_LOUDEST - _SOFTEST)))


# From dark to bright, in even steps of lightness: read alike by everyone, and in grey.
_HEAT = (
    *("#0b0724", "#1d1147", "#37106b", "#51127c", "#6b1d81", "#87267f", "#a3307e", "#c03a76"),
    *("#d9466b", "#ec5860", "#f8765c", "#fd9a6a", "#febb81", "#fddc9e"),
)
# The same among the 256, where the nearest ones would run through stray blues.
_HEAT_256 = (
    *("#080808", "#1c1c1c", "#303030", "#5f005f", "#5f005f", "#87005f", "#87005f", "#af005f"),
    *("#d7005f", "#d75f5f", "#ff875f", "#ffaf5f", "#ffd787", "#ffffaf"),
)


@lru_cache(maxsize=4)
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
        seconds: that a column lasts.
        left: cells of the column of names.
        width: cells.
        height: lines.
        look: of the terminal.
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


@lru_cache(maxsize=4)
def facts(items: tuple[tuple[str, bool], ...], *, width: int, look: Look) -> Line:
    """The status line: facts, those that want attention in bold and with a mark."""
    marked = [(look.pick("▲ ", "! ") * wanted + look.text(text), wanted) for text, wanted in items]
    length = sum(cell_len(text) for text, _ in marked)
    gap = " " * (3 if 3 + length + 3 * len(items) <= width + 3 else 2)
    parts: list[Part] = [("   ", "")]
    for text, wanted in marked:
        parts += [(text, "bold" if wanted else "dim"), (gap, "")]
    return row(width, *parts)


@lru_cache(maxsize=4)
def footer(message: str, tail: str, *, width: int, look: Look) -> Line:
    """What has to be said just now, or else the keys."""
    if message:
        help_at_end = f"{'? help':>{VALUE}} "
        room = max(0, width - 3 - len(help_at_end))
        mark = look.pick(" ▲ ", " ! ")
        said = (fitted(message, room, look), "bold")
        return row(width, (mark, "bold"), said, (help_at_end, "dim"))
    parts: list[Part] = [("   ", "")]
    for key, meaning in KEYS:
        parts += [(key, "bold"), (f" {meaning}   ", "dim")]
    used = sum(cell_len(text) for text, _ in parts)
    if used + len(tail) < width:
        parts.append((f"{tail:>{width - used - 1}}", "dim"))
    return row(width, *parts)


KEYS = (("q", "quit"), ("space", "pause"), ("m", "mark"), ("s", "spectrogram"), ("?", "help"))
