"""The panels of the dashboard: pure functions from values to lines of a given width.

Results are cached, so that redrawing unchanged panels is cheap.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from live_ser.dashboard.lines import VALUE, Line, Look, Part, blank, fitted, gutter, row
from live_ser.dashboard.meters import Level
from live_ser.palette import colours
from live_ser.text import percent

_LOUDEST, _SOFTEST = 0.0, -60.0  # dB, the ends of the level meter


@lru_cache(maxsize=32)
def header(
    source: str, rate: str, facts: tuple[str, ...], right: str, *, width: int, look: Look
) -> Line:
    """The title line.

    Args:
        source: name of the source, the first to be cut.
        rate: its sample rate, the next to be left out.
        facts: further facts; the first of them are left out first.
        right: the time, bold if the sound is recorded.
        width: cells.
        look: capabilities of the terminal.
    """
    title = " live-ser  "
    room = width - len(title) - cell_len(right) - 3
    between = look.pick(" · ", " - ")
    source, shown = look.text(source), [look.text(fact) for fact in (rate, *facts)]
    minimum = min(cell_len(source), _NAME)
    rests = (between.join(["", *shown[i:]]) for i in range(len(shown)))
    rest = next((rest for rest in rests if minimum + cell_len(rest) <= room), None)
    if rest is None:  # no room for names
        title, room, what = " ", room + len(title) - 1, shown[-1]
    else:
        what = fitted(source, min(cell_len(source), room - cell_len(rest)), look) + rest
    return row(
        width,
        (title, "bold"),
        (fitted(what, max(0, room), look), "dim"),
        ("  ", ""),
        (right, "" if right[:1].isdigit() else ("bold red" if look.colours else "bold")),
    )


@lru_cache(maxsize=32)
def lane(voice: str, fact: str, *, width: int, look: Look) -> Line:
    """The title of a lane: a rule with the name of the voice and its baseline."""
    rule = look.pick("\N{BOX DRAWINGS LIGHT HORIZONTAL}", "-")
    fact = f" {look.text(fact)} " if fact else ""
    name = fitted(voice, min(cell_len(look.text(voice)), max(1, width - 6 - cell_len(fact))), look)
    rest = max(0, width - 5 - cell_len(name) - cell_len(fact) - 1)
    return row(width, (f" {rule} ", "dim"), (f"{name} ", "bold"), (rule * rest + fact, "dim"))


_NAME = 8  # cells of the name of the source, at least


Kind = str  # of bars: "sure", "unsure", "stale"


@lru_cache(maxsize=32)
def bars(
    labels: tuple[str, ...],
    smoothed: tuple[float, ...] | None,
    raw: tuple[float, ...] | None,
    best: tuple[str, ...],
    kind: Kind,
    *,
    width: int,
    look: Look,
    rows: int = 1,
) -> tuple[Line, ...]:
    """A bar for each emotion.

    Args:
        labels: labels, in the model's order.
        smoothed: probability of each, the length of its bar; None before the first prediction.
        raw: probability of each in this window alone, the tick on its bar.
        best: the emotions in the headline, which are marked.
        kind: ``sure``, ``unsure``, or ``stale`` for earlier speech.
        width: cells.
        look: capabilities of the terminal.
        rows: rows of each bar; of several, the last one is a gap.
    """
    left = gutter(labels)
    field = max(4, width - left - VALUE)
    lines = []
    for i, (label, colour) in enumerate(zip(labels, colours(labels), strict=True)):
        top = label in best
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
            parts.append((f"{percent(smoothed[i]):>{VALUE - 1}}", name))
        lines.append(row(width, *parts))
        body = parts[2:-1] if smoothed else []
        lines += [row(width, (" " * left, ""), *body)] * (rows - 2)
        lines += [blank(width)] * (rows > 1)
    return tuple(lines)


_TICK_FROM = 1.5  # cells between the smoothed and the raw value below which the tick is not drawn
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


def activation(value: float | None, stale: bool, left: int, *, width: int, look: Look) -> Line:
    """The activation, from calm to aroused."""
    scale = _Scale("activation", "calm ", " aroused", 0.0)
    return _on_scale(scale, value, stale, left, width=width, look=look)


def valence(value: float | None, stale: bool, left: int, *, width: int, look: Look) -> Line:
    """The valence, from unpleasant to pleasant."""
    scale = _Scale("valence", "unpleasant ", " pleasant", -1.0)
    return _on_scale(scale, value, stale, left, width=width, look=look)


class _Scale(NamedTuple):
    """A scale up to 1: its name, the words at its ends, and its least value."""

    name: str
    low: str
    high: str
    minimum: float


@lru_cache(maxsize=32)
def _on_scale(
    scale: _Scale, value: float | None, stale: bool, left: int, *, width: int, look: Look
) -> Line:
    """A track between two words with a mark on it, and the number beside it."""
    low, high = scale.low, scale.high
    field = max(4, width - left - VALUE)
    inner = max(1, field - len(low) - len(high))
    track = look.pick("─", "-") * inner
    title: Part = (f"   {scale.name:<{left - 3}}", "dim" if stale or value is None else "")
    if value is None:
        return row(width, title, (f"{low}{track}{high}", "dim"))
    at = min(inner - 1, int((value - scale.minimum) / (1 - scale.minimum) * inner))
    return row(
        width,
        title,
        (low, "dim"),
        (track[:at], "dim"),
        (look.pick("○" if stale else "●", "o" if stale else "O"), "" if stale else "bold"),
        (track[at + 1 :], "dim"),
        (high, "dim"),
        (f"{value:>{VALUE - 1}.2f}", "dim" if stale else ""),
    )


@lru_cache(maxsize=32)
def prosody(words: tuple[str, ...], left: int, *, width: int, look: Look) -> Line:
    """Pitch, loudness and rate of the voice, compared with its usual.

    Args:
        words: from the fullest to the shortest; the first that fits is shown.
        left: cells of the column of names.
        width: cells.
        look: capabilities of the terminal.
    """
    title: Part = (f"   {'voice':<{left - 3}}", "" if words else "dim")
    room = max(0, width - left - 1)
    shown = next((line for line in words if cell_len(line) <= room), (words or ("",))[-1])
    return row(width, title, (fitted(shown, room, look), ""))


@lru_cache(maxsize=32)
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


@lru_cache(maxsize=32)
def facts(items: tuple[tuple[str, bool], ...], *, width: int, look: Look) -> Line:
    """The status line: facts; those that need attention are bold and marked.

    If they do not fit, the last ones that need no attention are left out.
    """
    marked = [(look.pick("▲ ", "! ") * wanted + look.text(text), wanted) for text, wanted in items]
    while (calm := [fact for fact in marked if not fact[1]]) and (
        _length([text for text, _ in marked], gap=2) > width
    ):
        marked.remove(calm[-1])
    gap = " " * (3 if _length([text for text, _ in marked], gap=3) <= width else 2)
    parts: list[Part] = [("   ", "")]
    for text, wanted in marked:
        parts += [(text, "bold" if wanted else "dim"), (gap, "")]
    return row(width, *parts)


def _length(texts: list[str], *, gap: int) -> int:
    """Cells of texts with gaps between them, and with the margin before the first."""
    return 3 - gap + sum(cell_len(text) + gap for text in texts)


@lru_cache(maxsize=32)
def footer(message: str, marks: int, labels: int, tail: str, *, width: int, look: Look) -> Line:
    """The message for the user, or else the keys.

    Args:
        message: the message; empty for the keys.
        marks: number of marks so far.
        labels: number of labels, each of which has a key.
        tail: text at the end, if there is room.
        width: cells.
        look: capabilities of the terminal.
    """
    if message:
        help_at_end = f"{'? help':>{VALUE}} "
        room = max(0, width - 3 - len(help_at_end))
        mark = look.pick(" ▲ ", " ! ")
        text = (fitted(message, room, look), "bold")
        return row(width, (mark, "bold"), text, (help_at_end, "dim"))
    digits = f"1-{min(labels, 9)}" if labels > 1 else "1"
    keys = [
        (key or digits, f" {means}", f" ({marks})" * (key == "m" and marks > 0))
        for key, means in _KEYS
        if key or labels
    ]
    while len(keys) > 1 and _length(["".join(key) for key in keys], gap=2) > width:
        del keys[-2]  # help stays, which explains the others
    gap = " " * (3 if _length(["".join(key) for key in keys], gap=3) <= width else 2)
    parts: list[Part] = [("   ", "")]
    for key, meaning, count in keys:
        parts += [(key, "bold"), (meaning, "dim"), (count + gap, "")]
    used = sum(cell_len(text) for text, _ in parts)
    if used + len(tail) < width:
        parts.append((f"{tail:>{width - used - 1}}", "dim"))
    return row(width, *parts)


def help_footer(page: int, pages: int, message: str, *, width: int, look: Look) -> Line:
    """The line under the legend: which page this is, and what key goes on."""
    number = f"   page {page} of {pages}" if pages > 1 else ""
    goes_on = " next page" if page < pages else " close"
    text = f"   {look.text(message)}" if message else ""
    close = [("   Esc", "bold"), (" close", "dim")] if page < pages else []
    keys: list[Part] = [("   ", ""), ("?", "bold"), (goes_on, "dim"), *close]
    return row(width, *keys, (number, "dim"), (text, ""))


_KEYS = (
    ("q", "quit"),
    ("space", "pause"),
    ("m", "mark"),
    ("", "label"),  # digits, as many as there are labels
    ("s", "spectrogram"),
    ("t", "telemetry"),
    ("?", "help"),
)
