"""What the dashboard shows, as a pure function of a state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from live_ser.dashboard import last_minute, panels
from live_ser.dashboard.last_minute import Moment
from live_ser.dashboard.lines import VALUE, Line, Look, beside, blank, gutter, row
from live_ser.dashboard.meters import Level, Spectrogram
from live_ser.dashboard.spectrogram import spectrogram
from live_ser.palette import colours
from live_ser.text import clock

if TYPE_CHECKING:
    from live_ser.inference.results import State

_WIDE = 118  # columns from which the last minute stands beside the bars
_NARROW = 30  # columns under which some panels are cut off
_TALL = 32  # rows from which the word is drawn five rows tall
_FADE = 10.0  # seconds of silence after which the bars are empty
_ROUSED = 1 / 6  # of the activation to either side of the middle, which is neither
_SPECTROGRAM_ROWS = (4, 15)  # at least, at most


@dataclass(frozen=True)
class DashboardState:
    """Everything that the dashboard shows.

    Attributes:
        model: name of the model.
        labels: its emotions, in its order.
        window: seconds that a judgement hears at most.
        min_speech: seconds of speech under which nothing is judged.
        source: name of the device or file.
        sample_rate: of the device or file, in Hz.
        seconds: of sound heard.
        state: of the newest prediction; None before the first.
        label: of the newest prediction.
        confidence: of the newest prediction.
        evidence: seconds of speech in the newest window.
        since_speech: seconds since speech was last heard; None if it never was.
        probabilities: smoothed, of the last window that was judged; None before the first.
        raw: of that window alone.
        activation: 0 (calm) to 1, of that window.
        moments: the last minute, oldest first.
        level: of the input.
        spectrogram: columns of the mel spectrogram, oldest first; in each a byte a band, lowest
            band first, 0 (silent) to 255 (loud).
        highest: upper edge of the highest band, in Hz.
        latency: of computing, median and 95th percentile in ms; None before the first.
        cpu: share of one core that the process uses, 0 to 1; None before it is known.
        overflows: times that the device lost sound.
        skipped: windows left out because the machine fell behind.
        recording: whether the sound is recorded.
        marks: moments marked.
        baseline: what the voice is measured against; empty where that is nothing.
        message: what has to be said just now.
        connected: whether the source gives sound.
        paused: whether the user paused.
        spectrogram_on: whether the spectrogram is shown.
        help_on: whether the help is shown.
    """

    model: str
    labels: tuple[str, ...]
    window: float
    min_speech: float
    source: str
    sample_rate: int
    seconds: float = 0.0
    state: State | None = None
    label: str | None = None
    confidence: float | None = None
    evidence: float = 0.0
    since_speech: float | None = None
    probabilities: tuple[float, ...] | None = None
    raw: tuple[float, ...] | None = None
    activation: float | None = None
    moments: tuple[Moment, ...] = ()
    level: Level = field(default_factory=Level)
    spectrogram: tuple[bytes, ...] = ()
    highest: float = 8000.0
    latency: tuple[float, float] | None = None
    cpu: float | None = None
    overflows: int = 0
    skipped: int = 0
    recording: bool = False
    marks: int = 0
    baseline: str = ""
    message: str = ""
    connected: bool = True
    paused: bool = False
    spectrogram_on: bool = True
    help_on: bool = False


def render(state: DashboardState) -> RenderableType:
    """The dashboard as a Rich renderable; its height depends on the console's size alone."""
    return _Page(state)


@dataclass(frozen=True)
class _Page:
    state: DashboardState

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        height = options.height or console.height
        for line in page(self.state, options.max_width, height, Look.of(console)):
            yield from line
            yield Segment.line()


def page(state: DashboardState, width: int, height: int, look: Look) -> list[Line]:
    """The dashboard as lines, each ``width`` cells wide.

    Args:
        state: what to show.
        width: columns.
        height: rows at most; what matters least is left out where they are few.
        look: what the terminal can show.
    """
    plan = _plan(len(state.labels), width, height)
    drawn = [(name, _section(name, rows, state, width, look)) for name, rows in plan]
    lines = [line for _, section in drawn for line in section]
    if state.help_on:
        bottom = sum(rows for name, rows in plan if name in ("facts", "footer"))
        lines = _help(width, len(lines) - bottom, look) + lines[len(lines) - bottom :]
    if width < _NARROW:
        return [tuple(Segment.adjust_line_length(list(line), width)) for line in lines]
    return lines


@lru_cache(maxsize=8)
def _plan(labels: int, width: int, height: int) -> tuple[tuple[str, int], ...]:
    """The sections that there is room for, from top to bottom, and the rows of each."""
    wide = width >= _WIDE
    bars = min(labels, 4)
    # Name, fewest rows, worth: what is worth least is left out first.
    wanted = [
        ("header", 1, 90),
        ("gap", 1, 30),
        ("verdict", 5 if wide and height >= _TALL else 3, 99),
        ("gap", 1, 29),
        *([("heads", 1, 31)] if wide else []),
        ("bars", bars, 95),
        ("activation", 1, 70),
        *([] if wide else [("gap", 1, 28), ("strip", 1, 75)]),
        ("axis", 1, 32),
        ("gap", 1, 27 if wide else 4),
        ("spectrogram", _SPECTROGRAM_ROWS[0], 40),
        ("gap", 1, 2),
        ("level", 1, 97),
        ("gap", 1, 3),
        ("facts", 1, 60),
        ("gap", 1, 1),
        ("footer", 1, 80),
    ]
    room = height - (labels - bars)  # all bars before any gap
    while len(wanted) > 1 and sum(rows for _, rows, _ in wanted) > max(room, height // 2):
        wanted.remove(min(wanted, key=lambda section: section[2]))
    spare = max(0, height - sum(rows for _, rows, _ in wanted))
    grown = []
    for name, rows, _ in wanted:
        most = {"bars": labels, "spectrogram": _SPECTROGRAM_ROWS[1]}.get(name, rows)
        more = min(spare, most - rows)
        spare -= more
        grown.append((name, min(rows + more, height)))
    return tuple(grown)


def _section(name: str, rows: int, state: DashboardState, width: int, look: Look) -> Sequence[Line]:
    """The lines of one section; as many as ``rows``."""
    wide = width >= _WIDE
    left = gutter(state.labels)
    field = _minute(width) if wide else width - left - VALUE
    lines: Sequence[Line] = [blank(width)] * rows
    match name:
        case "header":
            lines = [_header(state, width, look)]
        case "verdict":
            lines = _verdict(state, width, rows, look)
        case "heads":
            lines = [last_minute.heads(left, width - field - 1, width=width, look=look)]
        case "bars":
            lines = _bars(state, rows, width, look)
        case "activation":
            lines = [_activation(state, left, width, look)]
        case "strip":
            lines = [_strip(state, "last 60 s", left, field, width=width, look=look)]
        case "axis":
            at = width - field - 1 if wide else left
            lines = [last_minute.axis(at, field, width=width)]
        case "spectrogram" if state.spectrogram_on:
            lines = _spectrogram(state, left, rows, width=width, look=look)
        case "level":
            heard = state.level if state.connected and not state.paused else Level()
            lines = [panels.level(heard, left, width=width, look=look)]
        case "facts":
            lines = [panels.facts(_facts(state, wide), width=width, look=look)]
        case "footer":
            tail = "how a voice sounds, not what a person feels" if wide else ""
            lines = [panels.footer(state.message, state.marks, tail, width=width, look=look)]
    return lines


def _minute(width: int) -> int:
    """Cells of the last minute where it stands beside the bars."""
    return last_minute.SECONDS * max(1, (width - 40) // (last_minute.SECONDS + 16))


def _header(state: DashboardState, width: int, look: Look) -> Line:
    facts = [f"{state.sample_rate / 1000:g} kHz", state.model]
    if state.baseline:
        facts.append(state.baseline)
    # What is recorded is as long as the session: silence stands in for what was not heard.
    notice = look.pick("● REC", "* REC") if state.recording else ""
    time = clock(state.seconds)
    return panels.header(state.source, tuple(facts), notice, time, width=width, look=look)


def _verdict(state: DashboardState, width: int, rows: int, look: Look) -> Sequence[Line]:
    word, captions = _words(state)
    colour = None
    if word == state.label and state.state == "speech":
        colour = dict(zip(state.labels, colours(state.labels), strict=True))[word]
    return panels.verdict(word, captions, colour, width=width, height=rows, look=look)


def _words(state: DashboardState) -> tuple[str, tuple[str, ...]]:
    """The large word, and the lines beside it."""
    if not state.connected or state.paused:
        paused = "paused", ("nothing is judged", "space goes on")
        gone = "no sound", ("the source gives no sound", "waiting for it to come back")
        return paused if state.connected else gone
    confidence = f"{100 * (state.confidence or 0):.0f} %"
    match state.state, state.label:
        case "speech", str(label):
            return label, (f"sounds {label}", f"confidence {confidence}", _arousal(state))
        case "uncertain", str(label):
            guess = f"perhaps {label}, {confidence}"
            return "uncertain", ("speech, but the model can't tell", guess, _arousal(state))
        case "silence", _:
            return "silence", ("no speech", _last_speech(state))
        case "listening", _:
            needed = f"{state.evidence:.1f} of {state.min_speech:g} s of speech"
            return "listening", ("not enough speech yet", needed)
    return "listening", ("waiting for the first sound",)


def _arousal(state: DashboardState) -> str:
    """The second answer, which often holds where the first one doesn't."""
    if state.activation is None:
        return ""
    if abs(state.activation - 0.5) < _ROUSED:
        return "neither calm nor aroused"
    return "sounds aroused" if state.activation > 0.5 else "sounds calm"


def _last_speech(state: DashboardState) -> str:
    if state.since_speech is None:
        return "none heard so far"
    if state.since_speech < 60:
        return f"last speech {state.since_speech:.0f} s ago"
    return f"last speech {clock(state.since_speech)} ago"


def _faded(state: DashboardState) -> bool:
    """Whether the last judgement is so old that nothing of it is shown."""
    return (
        state.state == "silence" and state.since_speech is not None and state.since_speech > _FADE
    )


def _stale(state: DashboardState) -> bool:
    """Whether the bars show what was said before, and not what is said now."""
    return state.state not in ("speech", "uncertain") or state.paused or not state.connected


def _bars(state: DashboardState, rows: int, width: int, look: Look) -> Sequence[Line]:
    kind = "stale" if _stale(state) else ("unsure" if state.state == "uncertain" else "sure")
    wide = width >= _WIDE
    minute = _minute(width)
    room = width - minute - 1 if wide else width
    labels = state.labels
    smoothed = None if _faded(state) else state.probabilities
    lines = panels.bars(labels, smoothed, state.raw, state.label, kind, width=room, look=look)
    if wide:
        now = _newest(state)
        lanes = last_minute.lanes(
            labels, state.moments, now, field=minute, width=minute + 1, look=look
        )
        lines = tuple(beside(lines, lanes))
    if rows < len(lines):
        shown = sorted(_foremost(state)[:rows])
        return [lines[i] for i in shown]
    return lines


def _foremost(state: DashboardState) -> list[int]:
    """The labels that matter most: what is said, then the likeliest."""
    order = list(range(len(state.labels)))
    if state.probabilities is None:
        return order
    order.sort(key=state.probabilities.__getitem__, reverse=True)
    return sorted(order, key=lambda i: state.labels[i] != state.label)


def _activation(state: DashboardState, left: int, width: int, look: Look) -> Line:
    value, stale = None if _faded(state) else state.activation, _stale(state)
    if width < _WIDE:
        return panels.activation(value, stale, left, width=width, look=look)
    minute = _minute(width)
    room = width - minute - 1
    meter = panels.activation(value, stale, left, width=room, look=look)
    return meter + _strip(state, "", 0, minute, width=minute + 1, look=look)


def _strip(
    state: DashboardState, name: str, left: int, field: int, *, width: int, look: Look
) -> Line:
    now = _newest(state)
    return last_minute.strip(
        state.labels, state.moments, now, name, left=left, field=field, width=width, look=look
    )


def _spectrogram(
    state: DashboardState, left: int, rows: int, *, width: int, look: Look
) -> Sequence[Line]:
    return spectrogram(
        state.spectrogram,
        state.highest,
        Spectrogram.SECONDS,
        left=left,
        width=width,
        height=rows,
        look=look,
    )


def _newest(state: DashboardState) -> float:
    return state.moments[-1].end if state.moments else 0.0


def _facts(state: DashboardState, wide: bool) -> tuple[tuple[str, bool], ...]:
    """What the status line says; with each fact, whether it wants attention."""
    evidence = f"evidence {state.evidence:.1f} s"
    facts = [(f"{evidence} of {state.window:g} s" if wide else evidence, False)]
    if state.latency:
        p50, p95 = state.latency
        facts.append((f"compute {_short(p50)} ms, p95 {_short(p95)}", False))
    if state.cpu is not None:
        facts.append((f"CPU {100 * state.cpu:.0f} %", False))
    facts.append((f"overflows {state.overflows}", state.overflows > 0))
    facts.append((f"skipped {state.skipped}", state.skipped > 0))
    return tuple(facts)


def _short(number: float) -> str:
    return f"{number:.1f}" if number < 10 else f"{number:.0f}"


_HELP = (
    ("keys", ""),
    ("q", "quit; so does Ctrl-C"),
    ("space", "pause, and go on"),
    ("m", "mark this moment in the record"),
    ("s", "show or hide the spectrogram"),
    ("?", "show or hide this help"),
    ("", ""),
    ("what is shown", ""),
    ("bars", "probability of each, smoothed; the tick is this window alone"),
    ("activation", "how aroused the voice sounds, from calm to aroused"),
    ("evidence", "seconds of speech that the judgement rests on"),
    ("silence", "bars fade: they show what was heard before"),
    ("uncertain", "speech, but the model can't tell"),
    ("", ""),
    ("", "It says how a voice sounds, not what a person feels."),
    ("", "No sound leaves this process; none is kept unless you ask."),
)


@lru_cache(maxsize=2)
def _help(width: int, rows: int, look: Look) -> list[Line]:
    lines = [blank(width)]
    for term, meaning in _HELP:
        heading = bool(term) and not meaning
        parts = [("   ", ""), (term, "underline" if heading else "bold")]
        parts += [(" " * (14 - len(term)), ""), (look.text(meaning), "")]
        lines.append(row(width, *parts))
    lines += [blank(width)] * rows
    return lines[:rows]
