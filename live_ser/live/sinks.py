"""Sinks that write: records, the speaker's profile, and lines for people."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from live_ser.audio.blocks import Gap
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.live.sink import Sink, Status
from live_ser.records.schema import (
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
    """The profile of the speaker, which is saved at the end.

    Args:
        profile: that is written.
        baseline: that it is written from.

    Attributes:
        profile: that is written.
        has_speech: whether there was speech to make one of; None until it is saved.
    """

    keeps_going = False
    keeps = True

    def __init__(self, profile: Profile, baseline: RunningBaseline) -> None:
        self.name = f"the profile {profile.name}"
        self.profile, self._baseline = profile, baseline
        self.has_speech: bool | None = None

    def label(self, label: Label) -> None:
        self.profile.exchange(label.replaced, [label.take] if label.take else [])

    def end(self, summary: Record) -> None:
        self.has_speech = self.profile.keep(self._baseline)


class MessageSink(Sink):
    """Lines for people, where there is no dashboard.

    Args:
        write: takes a line.
        first: lines that are written when the session begins.
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
