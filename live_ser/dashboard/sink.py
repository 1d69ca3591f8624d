"""The dashboard as a sink of a session: what it shows is kept up with the sound."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from live_ser.audio.blocks import Samples, Source
from live_ser.dashboard.dashboard import Dashboard
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.live.keys import REDRAW
from live_ser.live.sinks import Sink

if TYPE_CHECKING:
    from live_ser.live.background import Background
    from live_ser.live.recorder import Recording


class DashboardSink(Sink):
    """The dashboard, kept up with its source.

    Args:
        dashboard: that draws.
        source: of the sound.
        monitor: that judges it.
        recording: of the sound, where there is one.
        marks_kept: whether there is a record for them.
    """

    name = "the dashboard"
    skips = True
    _ADVISED = 5.0  # seconds that an advice stands

    def __init__(
        self,
        dashboard: Dashboard,
        source: Source,
        monitor: Monitor,
        recording: Recording | Background | None = None,
        *,
        marks_kept: bool = True,
    ) -> None:
        self._dashboard = dashboard
        self._marks_kept = marks_kept
        self._advice, self._advised_until = "", 0.0
        self._recording = recording
        self._source = source
        self._monitor = monitor
        self._marks = 0
        self._complaint = ""
        self._told: set[str] = set()

    def complain(self, line: str) -> None:
        self._complaint = line

    def hear(self, samples: Samples) -> None:
        if len(samples):
            self._dashboard.level(samples)
        for note in set(self._source.notes) - self._told:
            self._told.add(note)
            self._advise(note)
        advice = self._advice if time.monotonic() < self._advised_until else ""
        self._dashboard.status(
            message=self._source.message or self._complaint or advice,
            connected=not self._source.message,
            source=self._source.name,
            sample_rate=self._source.native_rate,
            overflows=self._source.overflows,
            skipped=self._monitor.skipped,
            recording=self._recording is not None and self._recording.intact,
        )

    def window(self, prediction: Prediction) -> None:
        self._dashboard.update(prediction)
        baseline = self._monitor.baseline
        if baseline:
            known = f"{baseline}" if baseline.enrolling else f"baseline {baseline}"
            self._dashboard.status(baseline=known)

    def mark(self, moment: float) -> None:
        if self._marks_kept:
            self._marks += 1
            self._dashboard.status(marks=self._marks)
        else:
            self._advise("not marked: there is no record, which -o FILE keeps")

    def key(self, key: str) -> None:
        if key == "s":
            self._dashboard.toggle_spectrogram()
        elif key == "?":
            self._dashboard.toggle_help()
        elif key == REDRAW:
            self._dashboard.redraw()

    def pause(self, paused: bool) -> None:
        self._dashboard.status(paused=paused)

    def suspend(self) -> None:
        self._dashboard.suspend()

    def _advise(self, line: str) -> None:
        self._advice = line
        self._advised_until = time.monotonic() + self._ADVISED

    def close(self, until: float = math.inf) -> None:
        self._dashboard.__exit__(None, None, None)
