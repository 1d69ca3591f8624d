"""The dashboard: a sink of a session that draws in the terminal."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from live_ser.audio.blocks import Samples, Voice
from live_ser.audio.channels import parts
from live_ser.dashboard.last_minute import Moment
from live_ser.dashboard.lines import Look
from live_ser.dashboard.meters import Level, Load, Meter, Spectrogram
from live_ser.dashboard.screen import Screen
from live_ser.dashboard.state import DashboardState
from live_ser.dashboard.view import is_shown, legend_pages, page
from live_ser.live.headline import HeadlineTracker
from live_ser.live.keys import ESCAPE, REDRAW
from live_ser.live.sink import Sink, Status
from live_ser.spec import ModelInfo
from live_ser.text import prosody_words

if TYPE_CHECKING:
    from live_ser.inference.labelling import Label
    from live_ser.inference.results import Prediction
    from live_ser.live.background import Background
    from live_ser.live.recorder import Recording
    from live_ser.model.speaker import BaselineStatus

_DRAW_EVERY = 0.08  # seconds: 12 times a second, for the level meter
_STRIP = 60.0  # seconds of the last minute
_ADVISED = 5.0  # seconds for which a note is shown
_LATENCIES = 240  # predictions for percentiles: two minutes at the usual hop


class Dashboard(Sink):
    """The live dashboard.

    A context manager, which restores the terminal at its end. It draws when an event comes; it has
    no thread of its own.

    Args:
        console: the console, usually on standard error.
        info: metadata of the model.
        source: name of the device or file.
        sample_rate: its sample rate in Hz.
        recording: the sink that records the sound, if any.
        marks_stored: whether marks are stored.
        voices: the voices, each with a lane; empty for a single voice.
    """

    name = "the dashboard"
    skips = True

    def __init__(
        self,
        console: Console,
        info: ModelInfo,
        source: str,
        sample_rate: int,
        *,
        recording: Recording | Background | None = None,
        marks_stored: bool = True,
        voices: Sequence[Voice] = (),
    ) -> None:
        state = DashboardState(
            model=info.name,
            labels=info.labels,
            window=info.window,
            min_speech=info.gate.enough(over=False),
            source=source,
            sample_rate=sample_rate,
            highest=info.features.fmax,
        )
        lanes = tuple(replace(state, voice=voice.name) for voice in voices)
        self.state = replace(state, lanes=lanes)
        self._screen = Screen(console)
        self._look = Look.of(console)
        self._rate = info.features.sample_rate
        self._meters = [Meter(info.features.sample_rate) for _ in voices or (None,)]
        self._spectrogram = Spectrogram(info.features)
        self._load = Load()
        # The baseline then has 2.5 times the weight of a typical voice.
        self._known_from = 2.5 * info.baseline.typical if info.baseline else 0.0
        self._headlines = [HeadlineTracker() for _ in voices or (None,)]
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._unseen: list[Samples] = []  # since it was last drawn
        self._samples = 0  # samples
        self._is_suspended = False
        self._due = 0.0  # monotonic time of the next drawing
        self._recording, self._marks_stored = recording, marks_stored
        self._advice, self._advised_until = "", 0.0
        self._warning = ""

    @staticmethod
    def possible(console: Console) -> bool:
        """Whether the console is a terminal that supports the dashboard."""
        return console.is_terminal and not console.is_dumb_terminal

    def __enter__(self) -> Dashboard:
        with ExitStack() as stack:
            stack.enter_context(self._screen)
            self._draw()
            stack.pop_all()  # keep the screen
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._screen.__exit__(kind, error, trace)

    def block(self, samples: Samples) -> None:
        if len(samples):
            self._unseen.append(samples)
            self._samples += len(samples)
        self._draw_in_time()

    def window(self, prediction: Prediction) -> None:
        self._samples = max(self._samples, round(prediction.end * self._rate))  # gaps count
        self._latencies.append(prediction.latency_ms)
        p50, p95 = np.percentile(self._latencies, [50, 95])
        state = replace(self.state, latency=(float(p50), float(p95)), cpu=self._load.share())
        if state.lanes:
            lanes, number = list(state.lanes), (prediction.channel or 1) - 1
            lanes[number] = _with(lanes[number], prediction, self._headlines[number])
            self.state = replace(state, lanes=tuple(lanes))
        else:
            self.state = _with(state, prediction, self._headlines[0])
        self._draw_in_time()

    def status(self, status: Status) -> None:
        advice = self._advice if time.monotonic() < self._advised_until else ""
        message = status.message or self._warning or advice
        is_new = message != self.state.message
        self.state = replace(
            self.state,
            message=message,
            connected=not status.message,
            source=status.source,
            sample_rate=status.native_rate,
            overflows=status.overflows,
            skipped=status.skipped,
            recording=self._recording is not None and self._recording.intact,
            paused=status.paused,
            intended=status.intended,
        )
        if status.baseline is not None:
            self._show_voice(status.baseline)
        if is_new and not self._is_suspended:
            # After an error, a driver may have written to the screen.
            self._redraw()
        self._draw_in_time()

    def mark(self, time: float) -> None:
        if self._marks_stored:
            self.state = replace(self.state, marks=self.state.marks + 1)
            self._draw_in_time()
        else:
            self.note("not marked: there is no record, which -o FILE keeps")

    def label(self, label: Label) -> None:
        if label.label is None:
            self.note(label.words)
        elif label.take is None and not self._marks_stored:
            self.note("not labelled: this model cannot learn, and there is no record (-o FILE)")
        else:
            self.note(f"{label.words}; u undoes it")

    def note(self, line: str) -> None:
        self._advice, self._advised_until = line, time.monotonic() + _ADVISED

    def warn(self, line: str) -> None:
        self._warning = line

    def key(self, key: str) -> None:
        state = self.state
        if key == REDRAW:
            self._redraw()
            return
        if key == "s" and state.lanes:
            self.note("no spectrogram: each voice has its lane")
            return
        if key == "s":
            self.state = replace(state, spectrogram_on=not state.spectrogram_on)
            self._note_room("spectrogram", is_on=self.state.spectrogram_on)
        elif key == "t":  # warnings are always shown
            self.state = replace(state, telemetry_on=not state.telemetry_on)
            self._note_room("facts", is_on=self.state.telemetry_on)
        elif key == ESCAPE and state.help_page:
            self.state = replace(state, help_page=0)
        elif key == "?":
            pages = legend_pages(*self._screen.size, self._look)
            self.state = replace(state, help_page=(state.help_page + 1) % (pages + 1))
        else:
            return
        self._draw()

    def _note_room(self, section: str, *, is_on: bool) -> None:
        """Tell the user if the terminal is too small for a section."""
        width, height = self._screen.size
        if is_on and not self.state.lanes and not is_shown(section, self.state, width, height):
            what = {"facts": "telemetry"}.get(section, section)
            self.note(f"no room for the {what}: make the terminal taller")

    def suspend(self) -> None:
        if not self._is_suspended:
            self._is_suspended = True
            self._screen.__exit__(None, None, None)

    def close(self, until: float = math.inf) -> None:
        self.__exit__(None, None, None)

    def _show_voice(self, known: BaselineStatus) -> None:
        """Show the state of the speaker's baseline."""
        baseline = enrolling = learning = ""
        if known.enrolling:
            enrolling = f"{known.speech:.0f} of {known.enrol:g} s"
        elif known.seconds:
            baseline = f"baseline {known}"
        if not known.enrolling and known.seconds < self._known_from:
            learning = f"learning your voice, {known.seconds:.0f} of {self._known_from:g} s"
        self.state = replace(self.state, baseline=baseline, enrolling=enrolling, learning=learning)

    def _redraw(self) -> None:
        """Redraw everything: something else may have written to the screen."""
        if self._is_suspended:
            self._is_suspended = False
            self._screen.__enter__()
        self._screen.redraw()
        self._draw()

    def _draw_in_time(self) -> None:
        """Draw changes, if it is time."""
        if time.monotonic() >= self._due:
            self._draw()

    def _draw(self) -> None:
        self._due = time.monotonic() + _DRAW_EVERY
        if self._unseen:
            sound = np.concatenate(self._unseen)
            self._unseen = []
            for meter, part in zip(self._meters, parts(sound, len(self.state.lanes)), strict=True):
                meter.push(np.asarray(part), self._samples / self._rate)
            if not self.state.lanes:
                self._spectrogram.push(sound)
        levels = [meter.level() for meter in self._meters]
        self.state = replace(
            self.state,
            seconds=self._samples / self._rate,
            level=levels[0],
            lanes=tuple(map(_at_level, self.state.lanes, levels)),
            spectrogram=self._spectrogram.columns(),
        )
        if self._is_suspended:
            return
        width, height = self._screen.size
        self._screen.draw(page(self.state, width, height, self._look))


def _with(
    state: DashboardState, prediction: Prediction, headline: HeadlineTracker
) -> DashboardState:
    """The state of a voice after a new prediction."""
    labels = state.labels
    smoothed = _in_order(prediction.probabilities, labels)
    moment = Moment(prediction.end, prediction.state, prediction.label, smoothed)
    recent = tuple(m for m in state.moments if m.end > prediction.end - _STRIP)
    state = replace(
        state,
        state=prediction.state,
        headline=headline.push(prediction),
        evidence=prediction.evidence,
        since_speech=prediction.since_speech,
        prosody=prosody_words(vars(prediction.prosody) if prediction.prosody else None),
        moments=(*recent, moment),
    )
    if state.voice and prediction.baseline is not None:
        state = replace(state, baseline=f"baseline {prediction.baseline:.0f} s")
    if smoothed is None:
        return state
    return replace(
        state,
        probabilities=smoothed,
        raw=_in_order(prediction.raw, labels),
        activation=prediction.activation,
        valence=prediction.valence,
    )


def _at_level(lane: DashboardState, level: Level) -> DashboardState:
    return replace(lane, level=level)


def _in_order(
    probabilities: Mapping[str, float] | None, labels: tuple[str, ...]
) -> tuple[float, ...] | None:
    if probabilities is None:
        return None
    return tuple(probabilities[label] for label in labels)
