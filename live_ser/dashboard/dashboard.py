"""The dashboard in the terminal: fed with sound and predictions, drawn when something changed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from live_ser.audio.blocks import Samples
from live_ser.dashboard.last_minute import Moment
from live_ser.dashboard.lines import Look
from live_ser.dashboard.meters import Load, Meter, Spectrogram
from live_ser.dashboard.screen import Screen
from live_ser.dashboard.state import DashboardState
from live_ser.dashboard.view import legend_pages, page, render
from live_ser.live.headline import HeadlineTracker
from live_ser.spec import ModelInfo
from live_ser.text import prosody_words

if TYPE_CHECKING:
    from live_ser.inference.results import Prediction
    from live_ser.model.speaker import BaselineStatus

__all__ = ["Dashboard", "DashboardState", "render"]

_DRAW_EVERY = 0.08  # seconds: 12 times a second, for the level meter
_STRIP = 60.0  # seconds that the last minute remembers
_LATENCIES = 240  # predictions that the percentiles look at: two minutes at the usual hop


class Dashboard:
    """The live dashboard of a terminal.

    A context manager: the terminal is taken on entry and given back, as it was, on every way out.
    It draws by itself in :meth:`update`, :meth:`level`, :meth:`status` and :meth:`tick`; there is
    no thread behind it.

    Args:
        console: of the terminal, usually on standard error.
        info: of the model.
        source: name of the device or file.
        sample_rate: of the device or file, in Hz.
    """

    def __init__(self, console: Console, info: ModelInfo, source: str, sample_rate: int) -> None:
        self.state = DashboardState(
            model=info.name,
            labels=info.labels,
            window=info.window,
            min_speech=info.gate.enough(over=False),
            source=source,
            sample_rate=sample_rate,
            highest=info.features.fmax,
        )
        self._screen = Screen(console)
        self._look = Look.of(console)
        self._rate = info.features.sample_rate
        self._meter = Meter()
        self._spectrogram = Spectrogram(info.features)
        self._load = Load()
        # The voice then counts for two and a half times as much as a typical one.
        self._known_from = 2.5 * info.baseline.typical if info.baseline else 0.0
        self._headline = HeadlineTracker()
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._unseen: list[Samples] = []  # since the last drawing
        self._heard = 0  # samples
        self._is_suspended = False
        self._due = 0.0  # monotonic time of the next drawing

    @staticmethod
    def possible(console: Console) -> bool:
        """Whether the console is a terminal on which a dashboard can be drawn."""
        return console.is_terminal and not console.is_dumb_terminal

    def __enter__(self) -> Dashboard:
        with ExitStack() as stack:
            stack.enter_context(self._screen)
            self._draw()
            stack.pop_all()  # all is well: the screen is kept
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._screen.__exit__(kind, error, trace)

    def update(self, prediction: Prediction) -> None:
        """Show a new prediction."""
        labels = self.state.labels
        smoothed = _in_order(prediction.probabilities, labels)
        moment = Moment(prediction.end, prediction.state, prediction.label, smoothed)
        kept = tuple(m for m in self.state.moments if m.end > prediction.end - _STRIP)
        self._heard = max(self._heard, round(prediction.end * self._rate))  # gaps count as well
        self._latencies.append(prediction.latency_ms)
        p50, p95 = np.percentile(self._latencies, [50, 95])
        self.state = replace(
            self.state,
            state=prediction.state,
            headline=self._headline.push(prediction),
            evidence=prediction.evidence,
            since_speech=prediction.since_speech,
            prosody=prosody_words(vars(prediction.prosody) if prediction.prosody else None),
            moments=(*kept, moment),
            latency=(float(p50), float(p95)),
            cpu=self._load.share(),
        )
        if smoothed is not None:
            self.state = replace(
                self.state,
                probabilities=smoothed,
                raw=_in_order(prediction.raw, labels),
                activation=prediction.activation,
                valence=prediction.valence,
            )
        self.tick()

    def level(self, block: Samples) -> None:
        """Show the level and the spectrogram of a block of sound.

        Args:
            block: float32 ``[n]``, mono at the model's rate; blocks of 0.1 s or less make the
                meter move smoothly.
        """
        self._unseen.append(block)
        self._heard += len(block)
        self.tick()

    def status(
        self,
        *,
        message: str | None = None,
        connected: bool | None = None,
        source: str | None = None,
        sample_rate: int | None = None,
        overflows: int | None = None,
        skipped: int | None = None,
        recording: bool | None = None,
        marks: int | None = None,
        meant: str | None = None,
        paused: bool | None = None,
    ) -> None:
        """Show what has changed beside the sound; what is None stays as it is.

        Args:
            message: what has to be said just now, "microphone gone, trying again"; empty to take
                it away.
            connected: whether the source gives sound.
            source: name of the device or file.
            sample_rate: of the device or file, in Hz.
            overflows: times that the device lost sound.
            skipped: windows left out because the machine fell behind.
            recording: whether the sound is recorded.
            marks: moments marked so far.
            meant: the emotion that is meant at this moment of a demonstration.
            paused: whether the user paused.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        changes = {name: value for name, value in given.items() if value is not None}
        spoken = "message" in changes and changes["message"] != self.state.message
        self.state = replace(self.state, **changes)
        if spoken and not self._is_suspended:
            # Where something went wrong, a driver may have written on the screen as well.
            self.redraw()
        self.tick()

    def voice(self, known: BaselineStatus) -> None:
        """Show how far the speaker's voice is known."""
        baseline = enrolling = learning = ""
        if known.enrolling:
            enrolling = f"{known.heard:.0f} of {known.enrol:g} s"
        elif known.seconds:
            baseline = f"baseline {known}"
        if not known.enrolling and known.seconds < self._known_from:
            learning = f"learning your voice, {known.seconds:.0f} of {self._known_from:g} s"
        self.state = replace(self.state, baseline=baseline, enrolling=enrolling, learning=learning)

    def toggle_spectrogram(self) -> None:
        """Show or hide the spectrogram."""
        self.state = replace(self.state, spectrogram_on=not self.state.spectrogram_on)
        self._draw()

    def toggle_telemetry(self) -> None:
        """Show or hide telemetry; what needs attention is shown all the same."""
        self.state = replace(self.state, telemetry_on=not self.state.telemetry_on)
        self._draw()

    def turn_help_page(self) -> None:
        """Show the next page of the legend; after the last one, the dashboard again."""
        pages = legend_pages(*self._screen.size, self._look)
        page = self.state.help_page + 1
        self.state = replace(self.state, help_page=page if page <= pages else 0)
        self._draw()

    def suspend(self) -> None:
        """Give the terminal back until :meth:`redraw`."""
        if not self._is_suspended:
            self._is_suspended = True
            self._screen.__exit__(None, None, None)

    def redraw(self) -> None:
        """Draw everything: something else may have written on the screen."""
        if self._is_suspended:
            self._is_suspended = False
            self._screen.__enter__()
        self._screen.redraw()
        self._draw()

    def tick(self) -> None:
        """Draw what has changed, if it is time; to be called now and then when no sound comes."""
        if time.monotonic() >= self._due:
            self._draw()

    def _draw(self) -> None:
        self._due = time.monotonic() + _DRAW_EVERY
        if self._unseen:
            sound = np.concatenate(self._unseen)
            self._unseen = []
            self._meter.push(sound, self._heard / self._rate)
            self._spectrogram.push(sound)
        self.state = replace(
            self.state,
            seconds=self._heard / self._rate,
            level=self._meter.level(),
            spectrogram=self._spectrogram.columns(),
        )
        if self._is_suspended:
            return
        width, height = self._screen.size
        self._screen.draw(page(self.state, width, height, self._look))


def _in_order(
    probabilities: Mapping[str, float] | None, labels: tuple[str, ...]
) -> tuple[float, ...] | None:
    if probabilities is None:
        return None
    return tuple(probabilities[label] for label in labels)
