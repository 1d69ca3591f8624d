"""The dashboard as a sink of a session: what it shows is kept up with the sound."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from live_ser.audio.blocks import Samples
from live_ser.dashboard.dashboard import Dashboard
from live_ser.inference.results import Prediction
from live_ser.live.keys import REDRAW
from live_ser.live.sink import Sink, Status

if TYPE_CHECKING:
    from live_ser.live.background import Background
    from live_ser.live.recorder import Recording


class DashboardSink(Sink):
    """The dashboard, kept up with its session.

    Args:
        dashboard: that draws.
        recording: of the sound, where there is one.
        marks_kept: whether there is a record for them.
    """

    name = "the dashboard"
    skips = True
    _ADVISED = 5.0  # seconds that an advice stands

    def __init__(
        self,
        dashboard: Dashboard,
        recording: Recording | Background | None = None,
        *,
        marks_kept: bool = True,
    ) -> None:
        self._dashboard = dashboard
        self._marks_kept = marks_kept
        self._advice, self._advised_until = "", 0.0
        self._recording = recording
        self._marks = 0
        self._warning = ""

    def warn(self, line: str) -> None:
        self._warning = line

    def note(self, line: str) -> None:
        self._advice = line
        self._advised_until = time.monotonic() + self._ADVISED

    def block(self, samples: Samples) -> None:
        if len(samples):
            self._dashboard.level(samples)

    def status(self, status: Status) -> None:
        advice = self._advice if time.monotonic() < self._advised_until else ""
        self._dashboard.status(
            message=status.message or self._warning or advice,
            connected=not status.message,
            source=status.source,
            sample_rate=status.native_rate,
            overflows=status.overflows,
            skipped=status.skipped,
            recording=self._recording is not None and self._recording.intact,
            paused=status.paused,
            meant=status.meant,
        )
        if status.baseline is not None:
            self._dashboard.voice(status.baseline)

    def window(self, prediction: Prediction) -> None:
        self._dashboard.update(prediction)

    def mark(self, time: float) -> None:
        if self._marks_kept:
            self._marks += 1
            self._dashboard.status(marks=self._marks)
        else:
            self.note("not marked: there is no record, which -o FILE keeps")

    def key(self, key: str) -> None:
        if key == "s":
            self._dashboard.toggle_spectrogram()
        elif key == "?":
            self._dashboard.turn_help_page()
        elif key == "t":
            self._dashboard.toggle_telemetry()
        elif key == REDRAW:
            self._dashboard.redraw()

    def suspend(self) -> None:
        self._dashboard.suspend()

    def close(self, until: float = math.inf) -> None:
        self._dashboard.__exit__(None, None, None)
