"""Windows in columns, for hundreds of thousands of them: a day takes tens of megabytes."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from live_ser.inference.results import State
from live_ser.records.record import Record

STATES: tuple[str, ...] = get_args(State)

_SPEECH = STATES.index("speech")
_SOUNDED = [STATES.index(state) for state in ("speech", "uncertain")]
_NUMBERS = ("start", "end", "confidence", "activation", "speech", "level_db", "valence")
_CHANGES = ("pitch_change", "loudness_change", "rate_change")
_MEASURES = ("pitch", "loudness", "rate", "pauses", *_CHANGES)

Column = NDArray[np.float64]
Codes = NDArray[np.int64]


class WindowReader:
    """Collects records of windows or segments, in any order, in columns.

    Attributes:
        labels: the labels so far, and their indices.
    """

    def __init__(self) -> None:
        self.labels: dict[str, int] = {}
        self._numbers = array("d")
        self._measures = array("f")
        self._states = array("b")
        self._labels = array("i")
        self._layouts: dict[tuple[str, ...], int] = {}  # orders of labels in probabilities
        self._layout = array("i")
        self._probabilities = array("d")

    def __len__(self) -> int:
        return len(self._states)

    def append(self, record: Record) -> None:
        """Add a checked record."""
        prosody = record.get("prosody") or {}
        self._numbers.extend(map(_or_nan, map(record.get, _NUMBERS)))
        self._measures.extend(map(_or_nan, map(prosody.get, _MEASURES)))
        self._states.append(STATES.index(record["state"]))
        probabilities = record["probabilities"] or {}
        layout = self._layouts.setdefault(tuple(probabilities), len(self._layouts))
        self._layout.append(layout)
        self._probabilities.extend(probabilities.values())
        label = record["label"]
        code = -1 if label is None else self.labels.setdefault(label, len(self.labels))
        self._labels.append(code)

    def extend(self, others: WindowReader) -> None:
        """Add all records of another reader."""
        labels = [self.labels.setdefault(name, len(self.labels)) for name in others.labels]
        layouts = [self._layouts.setdefault(x, len(self._layouts)) for x in others._layouts]
        self._numbers.extend(others._numbers)
        self._measures.extend(others._measures)
        self._states.extend(others._states)
        self._labels.extend([-1 if code < 0 else labels[code] for code in others._labels])
        self._layout.extend([layouts[code] for code in others._layout])
        self._probabilities.extend(others._probabilities)

    def probable_labels(self) -> tuple[str, ...]:
        """The labels of the first probabilities; empty if there are none."""
        return next((layout for layout in self._layouts if layout), ())

    def windows(self, labels: Sequence[str], gaps: Sequence[Record]) -> Windows:
        """The windows in order of time.

        Args:
            labels: all labels, in the order of the columns.
            gaps: records of gaps in order of time.
        """
        numbers = np.array(self._numbers).reshape(-1, len(_NUMBERS))
        order = np.argsort(numbers[:, 1], kind="stable")
        start, end, confidence, activation, speech, level_db, valence = numbers[order].T
        measures = np.array(self._measures).reshape(-1, len(_MEASURES))[order].T
        place = np.array([*(labels.index(name) for name in self.labels), -1])  # -1 stays -1
        return Windows(
            tuple(labels),
            _since(start, end, gaps),
            end,
            np.array(self._states, np.int64)[order],
            place[np.array(self._labels, np.int64)][order],
            confidence,
            activation,
            speech,
            level_db,
            valence,
            dict(zip(_MEASURES, measures, strict=True)),
            self._shares(labels)[order],
        )

    def _shares(self, labels: Sequence[str]) -> Column:
        """Probabilities ``[n, labels]``: 0 for a missing label, NaN without any."""
        layout, flat = np.array(self._layout), np.array(self._probabilities)
        widths = np.array([len(names) for names in self._layouts], np.int64)[layout]
        starts = np.cumsum(widths) - widths
        shares = np.zeros((len(self), len(labels)))
        for names, number in self._layouts.items():
            rows = np.flatnonzero(layout == number)
            if not names:
                shares[rows] = math.nan
            for column, name in enumerate(names):
                if name in labels:
                    shares[rows, labels.index(name)] = flat[starts[rows] + column]
        return shares


@dataclass(frozen=True)
class Windows:
    """Windows or segments in the order of time; each column ``[n]``, NaN or -1 where there is none.

    Attributes:
        labels: the labels of the model.
        since: seconds from the start of the source to the end of the window before it, or to the
            start of the segment.
        end: seconds from the start of the source to the end of the window.
        state: index in ``STATES``.
        label: index in ``labels``.
        confidence: 0 to 1.
        activation: 0 to 1.
        speech: share of it, 0 to 1.
        level_db: dB re full scale.
        valence: -1 to 1.
        prosody: float32 columns of the prosody, by name.
        probabilities: ``[n, labels]``.
        sounded: number of merged windows with speech in each; None if they are not merged.
    """

    labels: tuple[str, ...]
    since: Column
    end: Column
    state: Codes
    label: Codes
    confidence: Column
    activation: Column
    speech: Column
    level_db: Column
    valence: Column
    prosody: dict[str, NDArray[np.float32]]
    probabilities: Column
    sounded: Codes | None = None

    def __len__(self) -> int:
        return len(self.end)

    def best_labels(self) -> tuple[tuple[str, ...], Codes]:
        """The emotion of each window, or its state: names, and index of each window."""
        named = (self.state == _SPEECH) & (self.label >= 0)
        return (*self.labels, *STATES), np.where(named, self.label, len(self.labels) + self.state)

    def stretches(self) -> Iterator[tuple[float, float, str]]:
        """Yield the intervals of one emotion: start, end, emotion."""
        names, codes = self.best_labels()
        speech = self.state == _SPEECH
        goes_on = np.zeros(len(self), bool)
        goes_on[1:] = speech[:-1] & (codes[1:] == codes[:-1]) & (self.since[1:] == self.end[:-1])
        starts = np.flatnonzero(speech & ~goes_on)
        breaks = np.append(np.flatnonzero(~(speech & goes_on)), len(self))
        lasts = breaks[np.searchsorted(breaks, starts, "right")] - 1
        for start, last in zip(starts, lasts, strict=True):
            yield float(self.since[start]), float(self.end[last]), names[codes[start]]

    def joined(self, many: int) -> Windows:
        """Merge ``many`` windows into one, but not across gaps.

        A merged window has the most frequent state and label, and the means of the numbers.
        """
        piece = np.cumsum(np.append(False, self.since[1:] > self.end[:-1]))
        place = np.arange(len(self)) - np.searchsorted(piece, piece)  # in its piece
        firsts = np.flatnonzero(place % many == 0)
        lasts = np.append(firsts[1:], len(self)) - 1
        group = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(self))))

        kinds = len(STATES) * (len(self.labels) + 1)
        kind = self.state * (len(self.labels) + 1) + self.label + 1
        seconds = np.bincount(group * kinds + kind, self.end - self.since, len(firsts) * kinds)
        longest = seconds.reshape(-1, kinds).argmax(axis=1)
        sounded = np.isin(self.state, _SOUNDED) & ~np.isnan(self.probabilities).any(axis=1)

        def mean(values: NDArray[np.floating], of: NDArray[np.bool_]) -> Column:
            of = of & ~np.isnan(values)
            sums = np.bincount(group[of], values[of], len(firsts))
            count = np.bincount(group[of], minlength=len(firsts))
            return np.where(count > 0, sums / np.maximum(count, 1), math.nan)

        every = np.ones(len(self), bool)
        columns = [mean(column, sounded) for column in self.probabilities.T]
        return Windows(
            self.labels,
            self.since[firsts],
            self.end[lasts],
            longest // (len(self.labels) + 1),
            longest % (len(self.labels) + 1) - 1,
            mean(self.confidence, kind == longest[group]),
            mean(self.activation, sounded),
            mean(self.speech, every),
            mean(self.level_db, every),
            mean(self.valence, sounded),
            {name: mean(x, every).astype(np.float32) for name, x in self.prosody.items()},
            np.array(columns).reshape(len(self.labels), -1).T,
            np.bincount(group[sounded], minlength=len(firsts)),
        )


def _or_nan(number: float | None) -> float:
    return math.nan if number is None else number


def _since(start: Column, end: Column, gaps: Sequence[Record]) -> Column:
    """The start of each window's newest hop: the end of the last window or gap."""
    since = []
    before, next_gap = 0.0, 0
    for begins, ends in zip(start.tolist(), end.tolist(), strict=True):
        while next_gap < len(gaps) and gaps[next_gap]["end"] <= ends:
            before = max(before, gaps[next_gap]["end"])
            next_gap += 1
        since.append(min(max(before, begins), ends))
        before = ends
    return np.array(since, np.float64)
