"""The page of several sessions: a row for each day."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from live_ser import __version__
from live_ser.errors import LiveSerError
from live_ser.palette import colours
from live_ser.records.claims import Claims
from live_ser.records.formats import STANDARD_OUTPUT
from live_ser.report.markup import block, filled
from live_ser.report.page import write_page
from live_ser.report.session_log import NoPredictions, SessionLog, read_session, shares
from live_ser.report.tables import GREY, NO_SPEECH, date, shares_table
from live_ser.report.window_columns import STATES, Column
from live_ser.text import clock, counted, in_html

_BIN = 300.0  # seconds per column of a row
_HOUR = 3600.0
_DAY = 24 * _HOUR
_ROW = 40  # height of a day, in columns of a minute


@dataclass(frozen=True)
class _Session:
    """A session and its start."""

    log: SessionLog
    started: datetime

    @cached_property
    def shares(self) -> dict[str, float]:
        """Seconds of each emotion and state."""
        return shares(self.log)

    @cached_property
    def days(self) -> tuple[tuple[str, float], ...]:
        """The days that it reaches into, each with the seconds from its midnight to the start."""
        midnight = datetime.combine(self.started, time())
        start = (self.started.replace(tzinfo=None) - midnight).total_seconds()
        count = max(1, math.ceil((start + self.log.seconds) / _DAY))
        return tuple(
            ((midnight + timedelta(number)).date().isoformat(), start - number * _DAY)
            for number in range(count)
        )


_Placed = tuple[_Session, float]
"""A session on a day, and the seconds from the day's midnight to its start."""


def write_sessions(
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    title: str | None = None,
    force: bool = False,
) -> list[str]:
    """Write the page of several sessions: a row for each day, and tables.

    Sessions without predictions are left out.

    Args:
        paths: files of records, one session each; duplicates count once.
        output: path of the page; ``"-"`` is standard output.
        title: heading of the page.
        force: overwrite an existing page.

    Returns:
        A line for each session that is left out.

    Raises:
        LiveSerError: a record cannot be read or has no date, no session holds a prediction, or the
            page cannot be written.
    """
    claims = Claims()
    for path in paths:
        claims.read(path)
    if output != STANDARD_OUTPUT:
        claims.write(output)
    sessions: list[_Session] = []
    left_out: list[NoPredictions] = []
    for path in {Path(path).resolve(): path for path in paths}.values():
        try:
            sessions.append(_read(path))
        except NoPredictions as error:
            left_out.append(error)
    if left_out and not sessions:
        raise left_out[0]
    write_page(sessions_page(sessions, title), output, force=force)
    return [f"{error.message}, and is left out" for error in left_out]


def _read(path: str | Path) -> _Session:
    log = read_session(path)
    try:
        session = _Session(log, datetime.fromisoformat(log.facts["started"]))
        assert session.days  # which some dates have no room for
        return session
    except (KeyError, ValueError, OverflowError) as error:
        raise LiveSerError(
            f"{path} does not say when it was heard",
            "give records of `live-ser listen` only; one record alone has a page without a date",
        ) from error


def sessions_page(sessions: Iterable[_Session], title: str | None = None) -> str:
    """The page of several sessions."""
    ordered = sorted(sessions, key=lambda session: session.started.isoformat())
    labels = tuple(dict.fromkeys(label for one in ordered for label in one.log.labels))
    total: Counter[str] = Counter()
    for session in ordered:
        total.update(session.shares)
    days: dict[str, list[_Placed]] = defaultdict(list)
    for session in ordered:
        for day, offset in session.days:
            days[day].append((session, offset))
    heading = title or "Sessions"
    seconds = sum(session.log.seconds for session in ordered)
    facts = [
        counted(len(ordered), "session"),
        counted(len(days), "day"),
        f"{clock(seconds)} together",
    ]
    values = {
        "title": in_html(heading),
        "heading": in_html(heading),
        "facts": in_html(" · ".join(facts)),
        "days": _days_table(days, labels),
        "legend": _legend(labels),
        "shares": shares_table(dict(total.most_common()), labels),
        "sessions": _sessions_table(ordered, labels),
        "version": in_html(__version__),
    }
    return filled("sessions.html", values)


def _days_table(days: Mapping[str, Sequence[_Placed]], labels: Sequence[str]) -> str:
    """A row for each day: its hours, coloured by the emotions in them."""
    every = [placed for sessions in days.values() for placed in sessions]
    first = math.floor(max(0.0, min(offset for _, offset in every)) / _HOUR)
    ends = (offset + session.log.seconds for session, offset in every)
    last = max(first + 1, math.ceil(min(_DAY, max(ends)) / _HOUR))
    rows = [
        f'<tr><th scope="row">{day}</th><td>{_day(days[day], labels, first, last)}</td></tr>'
        for day in sorted(days)
    ]
    hours = "".join(
        f'<text x="{100 * (hour - first) / (last - first):.2f}%" y="12">{hour}:00</text>'
        for hour in range(first, last, max(1, math.ceil((last - first) / 8)))
    )
    axis = f'<svg class="hours" aria-hidden="true">{hours}</svg>'
    return f'<table id="days">{"".join(rows)}<tr><td></td><td>{axis}</td></tr></table>'


def _day(sessions: Sequence[_Placed], labels: Sequence[str], first: int, last: int) -> str:
    """The hours of a day; each column stacks the shares of the speech."""
    columns = math.ceil((last - first) * _HOUR / _BIN)
    by_label = np.zeros((columns, len(labels) + 1))
    listened = np.zeros(columns)
    for session, start in sessions:
        offset = start - first * _HOUR
        by_label += _seconds_of_speech(session.log, labels, offset, columns)
        edges = np.arange(columns + 1) * _BIN - offset
        listened += np.clip(edges[1:], 0, session.log.seconds) - np.clip(
            edges[:-1], 0, session.log.seconds
        )
    shades = [*(colour.hex for colour in colours(labels)), GREY]
    shapes = []
    for column in np.flatnonzero(listened > 0):
        shapes.append(f'<rect class="heard" x="{column}" y="0" width="1" height="{_ROW}"/>')
        height = _ROW / max(by_label[column].sum(), 1e-9)
        top = 0.0
        for seconds, shade in zip(by_label[column], shades, strict=True):
            if seconds > 0:
                shapes.append(
                    f'<rect x="{column}" y="{top:.2f}" width="0.9" '
                    f'height="{seconds * height:.2f}" fill="{shade}"/>'
                )
            top += seconds * height
    return (
        f'<svg class="day" viewBox="0 0 {columns} {_ROW}" preserveAspectRatio="none" '
        f'role="img" aria-label="what was heard that day">{"".join(shapes)}</svg>'
    )


def _seconds_of_speech(
    log: SessionLog, labels: Sequence[str], offset: float, columns: int
) -> Column:
    """Seconds of each emotion, then of uncertain speech, in each column ``[columns, labels + 1]``.

    Args:
        log: log of a session; what is outside the columns is left out.
        labels: all labels of the page.
        offset: seconds from the first column to the start of the session.
        columns: number of columns.
    """
    names, codes = log.windows.best_labels()
    uncertain = len(log.labels) + STATES.index("uncertain")
    place = np.full(len(names), -1)
    place[: len(log.labels)] = [labels.index(label) for label in log.labels]
    place[uncertain] = len(labels)
    length = log.windows.end - log.windows.since
    column = np.floor((offset + log.windows.end - length / 2) / _BIN).astype(int)
    counts = (place[codes] >= 0) & (column >= 0) & (column < columns)
    seconds = np.zeros((columns, len(labels) + 1))
    np.add.at(seconds, (column[counts], place[codes][counts]), length[counts])
    return seconds


def _legend(labels: Sequence[str]) -> str:
    shades = [*zip(labels, (colour.hex for colour in colours(labels)), strict=True)]
    items = (
        f"<span>{block('swatch', (1, shade))}{in_html(name)}</span>"
        for name, shade in [*shades, ("uncertain", GREY)]
    )
    return f'<p class="legend">{" ".join(items)}</p>'


def _sessions_table(sessions: Sequence[_Session], labels: Sequence[str]) -> str:
    heads = ("", "length", "speech", "activation", "valence", "marks")
    head = "".join(f'<th class="number">{name}</th>' if name else "<th></th>" for name in heads)
    rows = "".join(_session_row(session, labels) for session in sessions)
    return f'<table id="sessions"><tr>{head}<th>of the speech</th></tr>{rows}</table>'


def _session_row(session: _Session, labels: Sequence[str]) -> str:
    log, found = session.log, session.shares
    spoken = {name: seconds for name, seconds in found.items() if name not in NO_SPEECH}
    speech = sum(spoken.values())
    shade = dict(zip(labels, (colour.hex for colour in colours(labels)), strict=True))
    parts = [(seconds / speech, shade.get(name, GREY)) for name, seconds in spoken.items()]
    cells = (
        clock(log.seconds),
        clock(speech),
        _mean(log.windows.activation, ""),
        _mean(log.windows.valence, "+"),
        str(len(log.marks) or ""),
    )
    numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    when = in_html(f"{date(log.facts['started'])}, {log.source}")
    return f"<tr><td>{when}</td>{numbers}<td>{block('share', *parts)}</td></tr>"


def _mean(values: Column, sign: str) -> str:
    known = values[~np.isnan(values)]
    return f"{known.mean():{sign}.2f}" if len(known) else ""
