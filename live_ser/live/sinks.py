"""Sinks that write records, the speaker's profile, and messages."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from live_ser.audio.blocks import Gap
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.live.sink import Sink, Status
from live_ser.records.record import (
    Record,
    Writer,
    gap_record,
    label_record,
    mark_record,
    window_record,
)

if TYPE_CHECKING:
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline


class RecordSink(Sink):
    """Writes all events but the sound as records.

    Args:
        writer: the writer of records.
        name: name of its output.
        sync: function that syncs the output to disk.
        close: function that closes the writer and its file.
    """

    stores = True

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

    def mark(self, time: float) -> None:
        self._writer.write(mark_record(time))

    def label(self, label: Label) -> None:
        self._writer.write(label_record(label.start, label.end, label.label, label.guess))

    def gap(self, start: float, gap: Gap) -> None:
        self._writer.write(gap_record(start, gap))

    def end(self, summary: Record) -> None:
        self._writer.write(summary)

    def sync(self) -> None:
        self._sync()

    def close(self, until: float = math.inf) -> None:
        self._close()


class ProfileSink(Sink):
    """Saves the profile of the speaker at the end.

    Args:
        profile: the profile.
        baseline: the baseline of the session.

    Attributes:
        profile: the profile.
        has_speech: whether there was any speech; None before the end.
    """

    keeps_going = False
    stores = True

    def __init__(self, profile: Profile, baseline: RunningBaseline) -> None:
        self.name = f"the profile {profile.name}"
        self.profile, self._baseline = profile, baseline
        self.has_speech: bool | None = None

    def label(self, label: Label) -> None:
        self.profile.exchange(label.replaced, [label.take] if label.take else [])

    def end(self, summary: Record) -> None:
        self.has_speech = self.profile.keep(self._baseline)


class MessageSink(Sink):
    """Writes messages for the user, if there is no dashboard.

    Args:
        write: function that writes a line.
        first: lines to write at the start.
    """

    name = "standard error"
    keeps_going = False
    skips = True

    def __init__(self, write: Callable[[str], None], first: Sequence[str] = ()) -> None:
        self._write, self._first = write, first
        self._message = ""

    def begin(self, session: Record) -> None:
        for line in self._first:
            self._write(line)

    def note(self, line: str) -> None:
        self._write(line)

    def warn(self, line: str) -> None:
        self._write(line)

    def status(self, status: Status) -> None:
        if status.message != self._message:
            self._message = status.message
            self._write(status.message or f"listening to {status.source} again")
