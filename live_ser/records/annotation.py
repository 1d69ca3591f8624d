"""A recording annotated: what subtitles, TextGrids and label tracks are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from live_ser.records.intervals import Interval, Intervals
from live_ser.records.schema import Record
from live_ser.text import in_words, printable

_MARK_SECONDS = 1.0  # that the cue of a marked moment is shown


@dataclass(frozen=True)
class Annotation:
    """How a recording sounds, interval by interval.

    Attributes:
        source: name of the recording, as it is.
        duration: in seconds.
        intervals: those in which an emotion was heard, in the order of time; they don't overlap.
        marks: seconds at which the user marked a moment.
    """

    source: str
    duration: float
    intervals: tuple[Interval, ...]
    marks: tuple[float, ...] = ()

    @property
    def has_valence(self) -> bool:
        """Whether the model tells it."""
        return any(interval.valence is not None for interval in self.intervals)


def cues(annotation: Annotation) -> list[tuple[int, int, str]]:
    """Subtitles: start and end in milliseconds, some time apart, and a line; in order of time."""
    texts = [(s.start, s.end, in_a_line(s)) for s in annotation.intervals]
    texts += [(mark, mark + _MARK_SECONDS, "marked") for mark in annotation.marks]
    shown = [(round(1000 * start), round(1000 * end), text) for start, end, text in sorted(texts)]
    return [cue for cue in shown if cue[0] < cue[1]]  # one without length is an error


def in_a_line(interval: Interval) -> str:
    """A interval in words that no format mistakes for its own, such as ``happy 81 %``."""
    return printable(in_words(vars(interval)))


class AnnotationWriter:
    """Records of one recording, or of one session, written as its annotation.

    Its segments are the intervals; where there are none, its windows, gathered; and else the
    recording as a whole.

    Args:
        stream: that is written to, once the recording is known whole.
        form: what is written of the annotation.
    """

    def __init__(self, stream: IO[str], form: Callable[[Annotation], str]) -> None:
        self._stream, self._form = stream, form
        self._source = ""
        self._segments: list[Interval] = []
        self._windows = Intervals()
        self._marks: list[float] = []
        self._written = False

    def write(self, record: Record) -> None:
        """Keep one record; a clip, or the end of a session, completes the annotation."""
        self._source = record.get("source", self._source)
        if record["type"] == "window":
            self._windows.add(record)
        elif record["type"] == "segment":
            self._segments.append(Interval.of(record, record["start"], record["end"]))
        elif record["type"] == "mark":
            self._marks.append(record["time"])
        elif record["type"] == "clip":
            whole = Interval.of(record, 0.0, record["duration"])
            self._finish(record["duration"], [whole])
        elif record["type"] == "end":
            self._finish(record["seconds"])

    def close(self) -> None:
        """Write what there is of a session that came to no end."""
        if not self._written and self._windows.found:
            self._finish(self._windows.found[-1].end)

    def _finish(self, duration: float, otherwise: list[Interval] | None = None) -> None:
        found = self._segments or self._windows.found or otherwise or []
        ends = [interval.end for interval in found] + self._marks
        annotation = Annotation(
            source=Path(self._source).name,
            duration=max([duration, *ends]),
            intervals=tuple(s for s in found if s.state in ("speech", "uncertain")),
            marks=tuple(self._marks),
        )
        self._written = True
        self._stream.write(self._form(annotation))
        self._stream.flush()
