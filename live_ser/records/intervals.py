"""Intervals of time with the same label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from live_ser.records.record import Record, voice_of


@dataclass(frozen=True)
class Interval:
    """An interval of time, with its state, label and measures.

    Attributes:
        start: seconds from the start of the source.
        end: seconds from the start of the source.
        state: state of its windows or segment.
        label: the emotion; the most probable one in ``uncertain``; None if there is none.
        confidence: probability of the label, 0 to 1.
        activation: how aroused the voice sounds, 0 (calm) to 1.
        valence: how pleasant the voice sounds, -1 to 1; None for a model without it.
        voice: name of the voice; empty for a single voice.
    """

    start: float
    end: float
    state: str
    label: str | None
    confidence: float | None
    activation: float | None
    valence: float | None = None
    voice: str = ""

    @property
    def text(self) -> str:
        """The emotion, or the state if it is not ``speech``."""
        return self.label if self.state == "speech" and self.label is not None else self.state

    @classmethod
    def of(cls, record: Record, start: float, end: float) -> Interval:
        """The interval of a window, segment or clip."""
        return cls(
            start,
            end,
            record["state"],
            record["label"],
            record["confidence"],
            record["activation"],
            record.get("valence"),
            voice_of(record).name,
        )


class Intervals:
    """Merges windows into intervals.

    Each window counts for its newest hop, so that intervals do not overlap.

    Attributes:
        found: the intervals so far, in order of time.
    """

    def __init__(self) -> None:
        self.found: list[Interval] = []

    def add(self, window: Record) -> None:
        """Add the next window record."""
        until = self.found[-1].end if self.found else 0.0
        # After a gap, a window starts later than the end of the last one.
        new = Interval.of(window, max(until, window["start"]), window["end"])
        if self.found and self.found[-1].text == new.text and new.start == until:
            self.found[-1] = _joined(self.found[-1], new)
        else:
            self.found.append(new)


def intervals(windows: Iterable[Record]) -> list[Interval]:
    """Merge window records into intervals, in order of time."""
    gathered = Intervals()
    for window in windows:
        gathered.add(window)
    return gathered.found


def _joined(one: Interval, other: Interval) -> Interval:
    same = one.label == other.label
    return Interval(
        start=one.start,
        end=other.end,
        state=one.state,
        label=one.label if same else None,
        confidence=_mean(one, other, one.confidence, other.confidence) if same else None,
        activation=_mean(one, other, one.activation, other.activation),
        valence=_mean(one, other, one.valence, other.valence),
        voice=one.voice,
    )


def _mean(one: Interval, other: Interval, mine: float | None, theirs: float | None) -> float | None:
    """The mean of two values, weighted by the lengths of their intervals."""
    if mine is None or theirs is None:
        return mine if theirs is None else theirs
    lengths = one.end - one.start, other.end - other.start
    return (mine * lengths[0] + theirs * lengths[1]) / sum(lengths)
