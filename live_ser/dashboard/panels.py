"""The pieces of the dashboard: each a pure function from values to lines of the terminal.

Each gives lines that are exactly as wide as asked. What has not changed comes from a cache, so that
drawing again is cheap.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from live_ser.dashboard.lettering import huge, large
from live_ser.dashboard.lines import VALUE, Line, Look, Part, fitted, gutter, row
from live_ser.dashboard.meters import Level
from live_ser.palette import Colour, colours

_LOUDEST, _SOFTEST = 0.0, -60.0  # dB, the ends of the level meter


@lru_cache(maxsize=4)
def header(
    source: str, facts: tuple[str, ...], notice: str, right: str, *, width: int, look: Look
) -> Line:
    """The title line.

    Args:
        source: name of what is heard, which is the first to be cut: its beginning tells it apart.
        facts: how it is heard, and by which model.
        notice: what is kept of it; shown so that nobody overlooks it.
        right: the time.
        width: cells.
        look: of the terminal.
    """
    title, gap = " live-ser  ", " " if notice else ""
    room = max(0, width - len(title) - len(notice) - len(gap) - len(right) - 2)
    between = look.pick(" · ", " - ")
    rest = look.text("".join(between + fact for fact in facts))
    source = look.text(source)
    name = min(cell_len(source), max(_NAME, room - cell_len(rest)))
    return row(
        width,
        (title, "bold"),
        (fitted(fitted(source, name, look) + rest, room, look), "dim"),
        (" ", ""),
        (notice, "bold red" if look.colours else "bold"),
        (gap + right, ""),
    )


_NAME = 8  # cells that the name of what is heard has at least


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
    if height < 1:
        return ()
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


@lru_cache(maxsize=4)
def facts(items: tuple[tuple[str, bool], ...], *, width: int, look: Look) -> Line:
    """The status line: facts, those that want attention in bold and with a mark.

    Where there is no room for all, the last ones that want none are left out, rather than cut.
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


@lru_cache(maxsize=4)
def footer(message: str, marks: int, tail: str, *, width: int, look: Look) -> Line:
    """What has to be said just now, or else the keys, with the number of marks that one made."""
    if message:
        help_at_end = f"{'? help':>{VALUE}} "
        room = max(0, width - 3 - len(help_at_end))
        mark = look.pick(" ▲ ", " ! ")
        said = (fitted(message, room, look), "bold")
        return row(width, (mark, "bold"), said, (help_at_end, "dim"))
    keys = [(key, f" {means}", f" ({marks})" * (key == "m" and marks > 0)) for key, means in _KEYS]
    while len(keys) > 1 and _length(["".join(key) for key in keys], gap=2) > width:
        del keys[-2]  # help, which tells of the others, stays
    gap = " " * (3 if _length(["".join(key) for key in keys], gap=3) <= width else 2)
    parts: list[Part] = [("   ", "")]
    for key, meaning, count in keys:
        parts += [(key, "bold"), (meaning, "dim"), (count + gap, "")]
    used = sum(cell_len(text) for text, _ in parts)
    if used + len(tail) < width:
        parts.append((f"{tail:>{width - used - 1}}", "dim"))
    return row(width, *parts)


_KEYS = (("q", "quit"), ("space", "pause"), ("m", "mark"), ("s", "spectrogram"), ("?", "help"))
