"""What a session is given to: the dashboard, records, a recording. Each stands by itself."""

# ruff: noqa: D102 - the methods are those of Sink, and told of there.

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from live_ser.blocks import Gap, Source
from live_ser.features import Samples
from live_ser.keys import REDRAW
from live_ser.monitor import Monitor
from live_ser.records import Record, Writer, gap_record, mark_record, window_record
from live_ser.results import Prediction

if TYPE_CHECKING:
    from live_ser.dashboard import Dashboard
    from live_ser.recording import Recording


class Sink:
    """Takes what it cares for of a session; times are seconds from the start of the source."""

    name = "nothing"
    keeps_going = True  # whether a session has a purpose with this sink alone

    def complain(self, line: str) -> None:
        """Tell the user what went wrong."""

    def begin(self, session: Record) -> None:
        """The session begins."""

    def hear(self, samples: Samples) -> None:
        """A block of sound, float32 ``[n]``; where n is 0, only time goes by."""

    def window(self, prediction: Prediction) -> None:
        """A window was judged."""

    def mark(self, moment: float) -> None:
        """The user marked this moment."""

    def gap(self, start: float, gap: Gap) -> None:
        """A stretch of time was not heard."""

    def key(self, key: str) -> None:
        """The user pressed a key that the session itself does not know."""

    def pause(self, paused: bool) -> None:
        """The user paused, or went on."""

    def end(self, summary: Record) -> None:
        """The session ended."""


class Sinks(Sink):
    """Several sinks as one; one that fails is left out from then on, and the others go on.

    Attributes:
        failures: one line for each that failed.
    """

    def __init__(self) -> None:
        self._sinks: list[Sink] = []
        self.failures: list[str] = []

    def attach(self, sink: Sink) -> None:
        """Give everything to this one too, from now on."""
        self._sinks.append(sink)

    def begin(self, session: Record) -> None:
        self._each(lambda sink: sink.begin(session))

    def hear(self, samples: Samples) -> None:
        self._each(lambda sink: sink.hear(samples))

    def window(self, prediction: Prediction) -> None:
        self._each(lambda sink: sink.window(prediction))

    def mark(self, moment: float) -> None:
        self._each(lambda sink: sink.mark(moment))

    def gap(self, start: float, gap: Gap) -> None:
        self._each(lambda sink: sink.gap(start, gap))

    def complain(self, line: str) -> None:
        self._each(lambda sink: sink.complain(line))

    def key(self, key: str) -> None:
        self._each(lambda sink: sink.key(key))

    def pause(self, paused: bool) -> None:
        self._each(lambda sink: sink.pause(paused))

    def end(self, summary: Record) -> None:
        self._each(lambda sink: sink.end(summary))

    def _each(self, give: Callable[[Sink], None]) -> None:
        for sink in list(self._sinks):
            try:
                give(sink)
            except OSError as error:
                self._sinks.remove(sink)
                if not any(other.keeps_going for other in self._sinks):
                    raise
                self.failures.append(f"{sink.name} is given up: {error.strerror or error}")
                self._each(lambda other: other.complain(self.failures[-1]))


class RecordSink(Sink):
    """Everything but the sound, as records.

    Args:
        writer: of the records.
        name: of where they go.
    """

    def __init__(self, writer: Writer, name: str) -> None:
        self.name = name
        self._writer = writer

    def begin(self, session: Record) -> None:
        self._writer.write(session)

    def window(self, prediction: Prediction) -> None:
        self._writer.write(window_record(prediction))

    def mark(self, moment: float) -> None:
        self._writer.write(mark_record(moment))

    def gap(self, start: float, gap: Gap) -> None:
        self._writer.write(gap_record(start, gap))

    def end(self, summary: Record) -> None:
        self._writer.write(summary)


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
    _ADVISED = 5.0  # seconds that an advice stands

    def __init__(
        self,
        dashboard: Dashboard,
        source: Source,
        monitor: Monitor,
        recording: Recording | None = None,
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

    def _advise(self, line: str) -> None:
        self._advice = line
        self._advised_until = time.monotonic() + self._ADVISED


class MessageSink(Sink):
    """Complaints for people, where there is no dashboard.

    Args:
        write: takes a line.
    """

    keeps_going = False

    def __init__(self, write: Callable[[str], None], source: Source) -> None:
        self._write, self._source = write, source
        self._said = ""
        self._told: set[str] = set()

    def complain(self, line: str) -> None:
        self._write(line)

    def hear(self, samples: Samples) -> None:
        message = self._source.message
        if message != self._said:
            self._said = message
            self._write(message or f"listening to {self._source.name} again")
        for note in self._source.notes:
            if note not in self._told:
                self._told.add(note)
                self._write(note)
