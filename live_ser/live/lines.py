"""Plain lines: the headline of a session, whenever it changes."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from live_ser.audio.blocks import Voice
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.live.headline import HeadlineTracker
from live_ser.live.sink import Sink
from live_ser.text import clock, percent


class LineSink(Sink):
    """Writes a line when the headline changes, for screen readers, logs and dumb terminals.

    Args:
        write: function that writes a line.
        name: name of the output.
    """

    def __init__(self, write: Callable[[str], None], name: str = "standard output") -> None:
        self.name = name
        self._write = write
        self._trackers: defaultdict[str, HeadlineTracker] = defaultdict(HeadlineTracker)
        self._words: dict[str, str] = {}

    def window(self, prediction: Prediction) -> None:
        voice = Voice(prediction.channel, prediction.speaker).name
        headline = self._trackers[voice].push(prediction)
        if headline is None and prediction.state != "silence":
            return  # too little speech for a headline
        word = headline.word if headline else "silence"
        if word == self._words.get(voice):
            return
        self._words[voice] = word
        certain = headline is not None and headline.kind != "uncertain"
        share = f" {percent(headline.confidence)}" if headline and certain else ""
        whose = f"{voice}: " if voice else ""
        self._write(f"{clock(prediction.end)}  {whose}{word}{share}")

    def mark(self, time: float) -> None:
        self._write(f"{clock(time)}  mark")

    def label(self, label: Label) -> None:
        given = "labelled " if label.label else ""  # a verdict has the same form
        self._write(f"{clock(label.start)}  {given}{label.words}")
