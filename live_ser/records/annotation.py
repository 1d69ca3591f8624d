"""An annotated recording, the basis of subtitles, TextGrids and label tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from live_ser.records.intervals import Interval, Intervals
from live_ser.records.record import Record, is_last, standing_labels, voice_of
from live_ser.text import in_words, printable

MARK_SECONDS = 1.0  # length of a mark, where the format needs one


@dataclass(frozen=True)
class Annotation:
    """The intervals of a recording.

    Attributes:
        source: name of the recording.
        duration: length in seconds.
        intervals: the intervals with an emotion; those of a voice are in order of time and do not
            overlap.
        marks: times of the user's marks in seconds.
        labels: start and end in seconds and label of the utterances that the user labelled, in
            order of time. They do not overlap.
        voices: names of the voices; empty for a single voice.
    """

    source: str
    duration: float
    intervals: tuple[Interval, ...]
    marks: tuple[float, ...] = ()
    labels: tuple[tuple[float, float, str], ...] = ()
    voices: tuple[str, ...] = ()

    def tracks(self) -> Iterator[tuple[str, list[Interval]]]:
        """Yield each voice with its intervals; a single voice has an empty name."""
        for voice in self.voices or ("",):
            yield voice, [one for one in self.intervals if one.voice == voice]

    @property
    def has_valence(self) -> bool:
        """Whether the model estimates valence."""
        return any(interval.valence is not None for interval in self.intervals)


def cues(annotation: Annotation) -> list[tuple[int, int, str]]:
    """Subtitles in order of time: start and end in milliseconds, and a line."""
    texts = [(s.start, s.end, in_a_line(s)) for s in annotation.intervals]
    texts += [(mark, mark + MARK_SECONDS, "marked") for mark in annotation.marks]
    texts += labelled_lines(annotation)
    shown = [(round(1000 * start), round(1000 * end), text) for start, end, text in sorted(texts)]
    return [cue for cue in shown if cue[0] < cue[1]]  # a cue without length is invalid


def in_a_line(interval: Interval) -> str:
    """An interval in words that is safe in every format: ``happy 81 %``, ``agent: sad 53 %``.

    With several voices, the name of the voice comes first.
    """
    words = in_words(vars(interval))
    return printable(f"{interval.voice}: {words}" if interval.voice else words)


def labelled_lines(annotation: Annotation) -> list[tuple[float, float, str]]:
    """The user's labels for formats without tiers: ``labelled happy``."""
    return [(start, end, printable(f"labelled {label}")) for start, end, label in annotation.labels]


class AnnotationWriter:
    """Writes the records of a recording or session as an annotation.

    The intervals are its segments; without segments, its windows, merged; without windows, the
    whole recording.

    Args:
        stream: the output, written at the end of the recording.
        form: function from the annotation to the text of the file.
    """

    def __init__(self, stream: IO[str], form: Callable[[Annotation], str]) -> None:
        self._stream, self._form = stream, form
        self._source = ""
        self._segments: list[Interval] = []
        self._windows: dict[str, Intervals] = {}
        self._clips: list[Interval] = []
        self._voices: dict[str, int] = {}  # their names and channels
        self._marks: list[float] = []
        self._labels: list[Record] = []  # taken back or not
        self._written = False

    def write(self, record: Record) -> None:
        """Add a record; a clip, or the end of a session, completes the annotation."""
        self._source = record.get("source", self._source)
        if record["type"] in ("window", "segment") or "parts" in record:
            voice = voice_of(record)
            self._voices.setdefault(voice.name, voice.channel or 0)
        if record["type"] == "window":
            self._windows.setdefault(voice.name, Intervals()).add(record)
        elif record["type"] == "segment":
            self._segments.append(Interval.of(record, record["start"], record["end"]))
        elif record["type"] == "mark":
            self._marks.append(record["time"])
        elif record["type"] == "label":
            self._labels.append(record)
        elif record["type"] == "clip":
            self._clips.append(Interval.of(record, 0.0, record["duration"]))
            if is_last(record):
                self._finish(record["duration"])
        elif record["type"] == "end":
            self._finish(record["seconds"])

    def close(self) -> None:
        """Write a session without an end record."""
        if not self._written and self._windows:
            self._finish(max(windows.found[-1].end for windows in self._windows.values()))

    def _finish(self, duration: float) -> None:
        gathered = [one for windows in self._windows.values() for one in windows.found]
        found = self._segments or gathered or self._clips
        labels = sorted(
            (one["start"], one["end"], str(one["label"])) for one in standing_labels(self._labels)
        )
        ends = [interval.end for interval in found] + self._marks + [end for _, end, _ in labels]
        annotation = Annotation(
            source=Path(self._source).name,
            duration=max([duration, *ends]),
            intervals=tuple(s for s in found if s.state in ("speech", "uncertain")),
            marks=tuple(self._marks),
            labels=tuple(labels),
            voices=tuple(
                name for name in sorted(self._voices, key=self._voices.__getitem__) if name
            ),
        )
        self._written = True
        self._stream.write(self._form(annotation))
        self._stream.flush()
