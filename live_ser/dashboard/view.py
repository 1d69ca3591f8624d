"""The dashboard as a pure function of its state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from live_ser.dashboard import last_minute, panels
from live_ser.dashboard.headline import headline
from live_ser.dashboard.layout import LANE_ROWS, NOT_IN_LANES, WIDE, plan
from live_ser.dashboard.legend import legend, page_count
from live_ser.dashboard.lines import VALUE, Line, Look, beside, blank, gutter
from live_ser.dashboard.meters import Level, Spectrogram
from live_ser.dashboard.plane import plane, plane_width
from live_ser.dashboard.spectrogram import spectrogram
from live_ser.dashboard.state import DashboardState
from live_ser.dashboard.words import words
from live_ser.live.headline import FADE_SECONDS
from live_ser.text import clock, percent

_NARROW = 30  # columns below which some panels are left out
_SLOW = 250.0  # ms of computing above which telemetry is always shown


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
        state: the state to show.
        width: columns.
        height: rows; the least important sections are left out if there are few.
        look: capabilities of the terminal.
    """
    if state.help_page:
        pages = page_count(width, height - 1, look)
        number = min(state.help_page, pages)
        footer = panels.help_footer(number, pages, state.message, width=width, look=look)
        lines = [*legend(number, width, height - 1, look), footer]
    elif state.lanes and height > LANE_ROWS + 1:
        lines = _lanes(state, width, height, look)
    else:
        sections = plan(len(state.labels), width, height, _absent(state))
        lines = [x for name, rows in sections for x in _section(name, rows, state, width, look)]
        lines += [blank(width)] * (height - len(lines))
    if width < _NARROW:
        return [tuple(Segment.adjust_line_length(list(line), width)) for line in lines]
    return lines


def is_shown(name: str, state: DashboardState, width: int, height: int) -> bool:
    """Whether a section fits on a terminal of this size."""
    return name in dict(plan(len(state.labels), width, height, _absent(state)))


def legend_pages(width: int, height: int, look: Look) -> int:
    """The number of pages of the legend on a terminal of this size."""
    return page_count(width, height - 1, look)


def _lanes(state: DashboardState, width: int, height: int, look: Look) -> list[Line]:
    """The lanes of several voices, between the title and the keys."""
    facts = int(state.telemetry_on or _is_amiss(state))
    room = height - 2 - facts
    shown = state.lanes[: max(1, room // LANE_ROWS)]
    hidden = len(state.lanes) - len(shown)
    hint = f"{hidden} more than there is room for" if hidden else ""
    state = replace(state, message=state.message or hint)
    lines = [*_section("header", 1, state, width, look)]
    for number, lane in enumerate(shown):
        rows = room // len(shown) + (number < room % len(shown))
        shared = replace(lane, paused=state.paused, connected=state.connected)
        lines += _lane(shared, rows, width, look)
    lines += [blank(width)] * (height - 1 - facts - len(lines))
    for name in ("facts", "footer")[1 - facts :]:
        lines += _section(name, 1, state, width, look)
    return lines


def _lane(lane: DashboardState, rows: int, width: int, look: Look) -> list[Line]:
    """The lane of a voice."""
    lines: list[Line] = []
    absent = _absent(lane) | NOT_IN_LANES
    for name, count in plan(len(lane.labels), width, rows, absent, is_lane=True):
        if name == "header":
            lines.append(panels.lane(lane.voice, lane.baseline, width=width, look=look))
        else:
            lines += _section(name, count, lane, width, look)
    return lines


def _absent(state: DashboardState) -> frozenset[str]:
    """Sections that are not shown."""
    shown = {
        "spectrogram": state.spectrogram_on,
        "facts": state.telemetry_on or _is_amiss(state),
        "valence": state.valence is not None,
    }
    return frozenset(name for name, is_shown in shown.items() if not is_shown)


def _is_amiss(state: DashboardState) -> bool:
    """Whether telemetry shows a problem."""
    slow = state.latency is not None and state.latency[1] > _SLOW
    return slow or state.overflows > 0 or state.skipped > 0


def _section(name: str, rows: int, state: DashboardState, width: int, look: Look) -> Sequence[Line]:
    """The lines of a section, ``rows`` of them."""
    wide = width >= WIDE
    left = gutter(state.labels)
    field = _minute(width) if wide else width - left - VALUE
    seconds = state.last_minute.seconds
    lines: Sequence[Line] = [blank(width)] * rows
    match name:
        case "header":
            lines = [_header(state, width, look)]
        case "verdict":
            lines = headline(words(state), width=width, height=rows, look=look)
        case "heads":
            lines = [last_minute.heads(left, width - field - 1, seconds, width=width, look=look)]
        case "bars":
            lines = _bars(state, rows, width, look)
        case "activation" | "valence":
            draw = _activation if name == "activation" else _valence
            lines = [draw(state, left, width, look)]
        case "prosody":
            voice = () if _stale(state) and state.state != "listening" else state.prosody
            lines = [panels.prosody(voice, left, width=width, look=look)]
        case "strip":
            title = f"last {seconds} s"
            lines = _strip(state, title, left, field, width=width, look=look, rows=rows)
        case "axis":
            at = width - field - 1 if wide else left
            lines = [last_minute.axis(at, field, seconds, width=width)]
        case "spectrogram":
            lines = _spectrogram(state, left, rows, width=width, look=look)
        case "level":
            level = state.level if state.connected and not state.paused else Level()
            lines = [panels.level(level, left, width=width, look=look)]
        case "facts":
            lines = [panels.facts(_facts(state, wide), width=width, look=look)]
        case "footer":
            tail = "how a voice sounds, not what a person feels" if wide else ""
            lines = [
                panels.footer(
                    state.message, state.marks, len(state.labels), tail, width=width, look=look
                )
            ]
    return lines


def _minute(width: int) -> int:
    """Cells of the last minute beside the bars."""
    return last_minute.SECONDS * max(1, (width - 40) // (last_minute.SECONDS + 16))


def _header(state: DashboardState, width: int, look: Look) -> Line:
    facts = tuple(look.text(fact) for fact in (state.model, state.baseline) if fact)
    # The recording is as long as the session: gaps are silence in it.
    notice = look.pick("● REC ", "* REC ") if state.recording else ""
    rate = f"{state.sample_rate / 1000:g} kHz"
    right = notice + clock(state.seconds)
    return panels.header(state.source, rate, facts, right, width=width, look=look)


def _faded(state: DashboardState) -> bool:
    """Whether the last prediction is too old to be shown."""
    since = state.since_speech
    return state.state == "silence" and since is not None and since > FADE_SECONDS


def _stale(state: DashboardState) -> bool:
    """Whether the bars are about earlier speech."""
    return state.state not in ("speech", "uncertain") or state.paused or not state.connected


def _named(state: DashboardState) -> tuple[str, ...]:
    """The emotions in the headline."""
    headline = state.headline
    return () if headline is None or headline.kind == "uncertain" else headline.labels


def _bars(state: DashboardState, rows: int, width: int, look: Look) -> Sequence[Line]:
    kind = "stale" if _stale(state) else ("unsure" if state.state == "uncertain" else "sure")
    labels, smoothed = state.labels, None if _faded(state) else state.probabilities
    each = max(1, rows // len(labels))
    minute = _minute(width) if width >= WIDE else 0
    lines: Sequence[Line] = panels.bars(
        *(labels, smoothed, state.raw, _named(state), kind),
        width=width - minute - 1 if minute else width,
        look=look,
        rows=each,
    )
    if minute:
        lanes = last_minute.lanes(
            state.last_minute,
            field=minute,
            width=minute + 1,
            look=look,
            rows=each,
        )
        lines = beside(lines, lanes)
    if rows < len(lines):
        return [lines[i] for i in sorted(_foremost(state)[:rows])]
    return lines


def _foremost(state: DashboardState) -> list[int]:
    """The most important labels: those of the headline, then the most probable."""
    order = list(range(len(state.labels)))
    if state.probabilities is None:
        return order
    order.sort(key=state.probabilities.__getitem__, reverse=True)
    named = _named(state)
    return sorted(order, key=lambda i: state.labels[i] not in named)


def _activation(state: DashboardState, left: int, width: int, look: Look) -> Line:
    value, stale = None if _faded(state) else state.activation, _stale(state)
    if width < WIDE:
        return panels.activation(value, stale, left, width=width, look=look)
    minute = _minute(width)
    meter = panels.activation(value, stale, left, width=width - minute - 1, look=look)
    (strip,) = _strip(state, "", 0, minute, width=minute + 1, look=look)
    return meter + strip


def _valence(state: DashboardState, left: int, width: int, look: Look) -> Line:
    value = None if _faded(state) else state.valence
    room = width - _minute(width) - 1 if width >= WIDE else width
    meter = panels.valence(value, _stale(state), left, width=room, look=look)
    return meter + blank(width - room) if room < width else meter


def _strip(
    state: DashboardState,
    name: str,
    left: int,
    field: int,
    *,
    width: int,
    look: Look,
    rows: int = 1,
) -> Sequence[Line]:
    return last_minute.strip(
        state.last_minute, name, left=left, field=field, width=width, look=look, rows=rows
    )


def _spectrogram(
    state: DashboardState, left: int, rows: int, *, width: int, look: Look
) -> Sequence[Line]:
    # The plane of valence and activation is beside it if it fits.
    aside = plane_width(rows) if width >= WIDE and state.valence is not None else 0
    lines = spectrogram(
        state.spectrogram,
        state.highest,
        Spectrogram.SECONDS,
        left=left,
        width=width - aside,
        height=rows,
        look=look,
    )
    if not aside:
        return lines
    where = None if _faded(state) else (state.valence, state.activation)
    return beside(lines, plane(where, _stale(state), width=aside, height=rows, look=look))


def _facts(state: DashboardState, wide: bool) -> tuple[tuple[str, bool], ...]:
    """The facts of the status line, and whether each needs attention."""
    evidence = f"evidence {state.evidence:.1f} s"
    facts = [(f"{evidence} of {state.window:g} s" if wide else evidence, False)]
    if state.latency:
        p50, p95 = state.latency
        facts.append((f"compute {_short(p50)} ms, p95 {_short(p95)}", False))
    if state.cpu is not None:
        facts.append((f"CPU {percent(state.cpu)}", False))
    facts.append((f"overflows {state.overflows}", state.overflows > 0))
    facts.append((f"skipped {state.skipped}", state.skipped > 0))
    return tuple(facts)


def _short(number: float) -> str:
    return f"{number:.1f}" if number < 10 else f"{number:.0f}"
