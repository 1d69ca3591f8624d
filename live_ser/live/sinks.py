"""What a session is given to: the dashboard, records, a recording. Each stands by itself."""

# ruff: noqa: D102 - the methods are those of Sink, and told of there.

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from live_ser.audio.blocks import Gap, Samples, Source
from live_ser.errors import LiveSerError
from live_ser.inference.results import Prediction
from live_ser.records.schema import Record, Writer, gap_record, mark_record, window_record

if TYPE_CHECKING:
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline

_ENDING_SECONDS = 1.0  # that sinks have for what still waits for them


class Sink:
    """Takes what it cares for of a session; times are seconds from the start of the source."""

    name = "nothing"
    keeps_going = True  # whether a session has a purpose with this sink alone
    keeps = False  # whether it keeps what the user asked to have kept
    skips = False  # whether it may miss what it has no time for

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

    def suspend(self) -> None:
        """The process is about to stop: give the terminal back, until a key says to redraw."""

    def end(self, summary: Record) -> None:
        """The session ended."""

    def sync(self) -> None:
        """Have what was written survive a power cut."""

    def close(self, until: float = math.inf) -> None:
        """Let go of what it holds, and wait no longer than until this monotonic time."""


class Sinks(Sink):
    """Several sinks as one; one that fails is left out from then on, and the others go on.

    Attributes:
        failures: one line for each that failed.
        kept: whether all was kept that the user asked to have kept.
    """

    def __init__(self) -> None:
        self._sinks: list[Sink] = []
        self.failures: list[str] = []
        self.kept = True
        self._is_closing = False

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

    def suspend(self) -> None:
        self._each(lambda sink: sink.suspend())

    def end(self, summary: Record) -> None:
        self._each(lambda sink: sink.end(summary))

    def close(self, until: float | None = None) -> None:
        """Close them all, and wait for none that stands still."""
        self._is_closing = True
        until = time.monotonic() + _ENDING_SECONDS if until is None else until
        self._each(lambda sink: sink.close(until))
        self._sinks.clear()

    def _each(self, give: Callable[[Sink], None]) -> None:
        for sink in list(self._sinks):
            try:
                give(sink)
            except (OSError, LiveSerError) as error:
                self._leave_out(sink, error)

    def _leave_out(self, sink: Sink, error: OSError | LiveSerError) -> None:
        if sink not in self._sinks:  # it failed again, at hearing of its own failure
            return
        self._sinks.remove(sink)
        has_enough = isinstance(error, BrokenPipeError)  # whoever read stopped by themselves
        if sink.keeps and not has_enough:
            self.kept = False
        is_last = not any(other.keeps_going for other in self._sinks)
        if is_last and self._is_closing and has_enough:
            return
        why = error.message if isinstance(error, LiveSerError) else error.strerror or error
        said = f"{sink.name} is given up: {why}"
        if is_last and not self._is_closing:
            raise LiveSerError(said, error.hint) if isinstance(error, LiveSerError) else error
        self.failures.append(said)
        self._each(lambda other: other.complain(said))


class RecordSink(Sink):
    """Everything but the sound, as records.

    Args:
        writer: of the records.
        name: of where they go.
        sync: has what was written survive a power cut.
        close: closes the writer and its file.
    """

    keeps = True

    def __init__(
        self,
        writer: Writer,
        name: str,
        *,
        sync: Callable[[], None] = lambda: None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._writer, self._sync, self._close = writer, sync, close

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

    def sync(self) -> None:
        self._sync()

    def close(self, until: float = math.inf) -> None:
        self._close()


class ProfileSink(Sink):
    """The profile of the speaker, which is kept at the end.

    Args:
        profile: that is written.
        baseline: that it is written from.

    Attributes:
        profile: that is written.
        found: whether there was speech to make one of; None until it is kept.
    """

    keeps_going = False
    keeps = True

    def __init__(self, profile: Profile, baseline: RunningBaseline) -> None:
        self.name = f"the profile {profile.name}"
        self.profile, self._baseline = profile, baseline
        self.found: bool | None = None

    def end(self, summary: Record) -> None:
        self.found = self.profile.keep(self._baseline)


class MessageSink(Sink):
    """Complaints for people, where there is no dashboard.

    Args:
        write: takes a line.
        source: of the sound.
        first: lines that are said when the session begins.
    """

    name = "standard error"
    keeps_going = False
    skips = True

    def __init__(
        self, write: Callable[[str], None], source: Source, first: Sequence[str] = ()
    ) -> None:
        self._write, self._source, self._first = write, source, first
        self._said = ""
        self._told: set[str] = set()

    def begin(self, session: Record) -> None:
        for line in self._first:
            self._write(line)

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
