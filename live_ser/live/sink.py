"""A sink: what a session is given to, and the events that it is told of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from live_ser.audio.blocks import Gap, Samples
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.model.speaker import BaselineStatus
from live_ser.records.schema import Record

P = ParamSpec("P")


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a session is doing.

    Attributes:
        source: name of the device or file.
        native_rate: of the device or file, in Hz.
        overflows: how often the device lost sound.
        skipped: windows left out because the machine fell behind.
        message: what is wrong with the source just now; empty where all is well.
        paused: whether the user paused.
        baseline: what is known of the speaker; None for a model that takes no baseline.
        intended: intended emotion now, in a demonstration; empty elsewhere.
    """

    source: str
    native_rate: int
    overflows: int = 0
    skipped: int = 0
    message: str = ""
    paused: bool = False
    baseline: BaselineStatus | None = None
    intended: str = ""


class Sink:
    """Takes a session, event by event; a subclass has a method for each event that it wants.

    Times are seconds from the start of the source.

    Attributes:
        name: what to call it.
        keeps_going: whether a session has a purpose with this sink alone.
        keeps: whether it keeps what the user asked to have kept.
        skips: whether it may miss events for which it has no time.
    """

    name = "nothing"
    keeps_going = True
    keeps = False
    skips = False

    def begin(self, session: Record) -> None:
        """The session begins."""

    def block(self, samples: Samples) -> None:
        """A block of sound came, float32 ``[n]``; where n is 0, only time goes by."""

    def status(self, status: Status) -> None:
        """How the session is doing, with each block."""

    def window(self, prediction: Prediction) -> None:
        """A window was classified."""

    def gap(self, start: float, gap: Gap) -> None:
        """A stretch of time was not heard."""

    def mark(self, time: float) -> None:
        """The user marked a moment."""

    def label(self, label: Label) -> None:
        """The user said what an utterance sounded like, or took that back."""

    def key(self, key: str) -> None:
        """The user pressed a key that the session itself does not know."""

    def note(self, line: str) -> None:
        """There is something that the user should know once."""

    def warn(self, line: str) -> None:
        """Another sink failed, and is given up."""

    def suspend(self) -> None:
        """The process is about to stop: give the terminal back, until a key says to redraw."""

    def end(self, summary: Record) -> None:
        """The session ended."""

    def handle(self, event: Event) -> None:
        """Take an event; what wants them all alike overrides this and :meth:`wants`."""
        event.call(self)

    def wants(self, event: Event) -> bool:
        """Whether it does anything at such an event."""
        return getattr(type(self), event.name) is not getattr(Sink, event.name)

    def sync(self) -> None:
        """Have what was written survive a power cut."""

    def close(self, until: float = math.inf) -> None:
        """Let go of what it holds, and wait no longer than until this monotonic time."""


class Event:
    """Something that happens in a session, whoever it is told to.

    Args:
        method: of :class:`Sink`, which the event is named by.
        arguments: that it is called with.

    Attributes:
        name: of the method.

    Examples:
        >>> Event(Sink.mark, 2.5)
        Event(Sink.mark, 2.5)
    """

    def __init__(
        self, method: Callable[Concatenate[Sink, P], None], *arguments: P.args, **named: P.kwargs
    ) -> None:
        self.name = method.__name__
        self.arguments = arguments
        assert not named

    def call(self, sink: Sink) -> None:
        """Call the method of a sink."""
        getattr(sink, self.name)(*self.arguments)

    def __repr__(self) -> str:
        return f"Event({', '.join([f'Sink.{self.name}', *map(repr, self.arguments)])})"
