"""The base class of sinks, and the events of a session."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from live_ser.audio.blocks import Gap, Samples
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.model.speaker import BaselineStatus
from live_ser.records.record import Record

P = ParamSpec("P")


@dataclass(frozen=True, kw_only=True)
class Status:
    """The status of a session.

    Attributes:
        source: name of the device or file.
        native_rate: its sample rate in Hz.
        overflows: number of times that the device lost sound.
        skipped: number of windows skipped because the machine was too slow.
        message: current problem of the source; empty if there is none.
        paused: whether the user paused.
        baseline: state of the speaker's baseline; None for a model without one.
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
    """Receives the events of a session; a subclass overrides the methods of those it handles.

    Times are seconds from the start of the source.

    Attributes:
        name: name for messages.
        keeps_going: whether a session continues if only this sink is left.
        stores: whether it stores something that the user asked for.
        skips: whether it may miss events when it is too slow.
    """

    name = "nothing"
    keeps_going = True
    stores = False
    skips = False

    def begin(self, session: Record) -> None:
        """The session begins."""

    def block(self, samples: Samples) -> None:
        """A block of sound came, float32 ``[n]``; empty if only time passed."""

    def status(self, status: Status) -> None:
        """The status, sent with each block."""

    def window(self, prediction: Prediction) -> None:
        """A window was classified."""

    def gap(self, start: float, gap: Gap) -> None:
        """There is a gap in the sound."""

    def mark(self, time: float) -> None:
        """The user marked a moment."""

    def label(self, label: Label) -> None:
        """The user labelled an utterance, or took back a label."""

    def key(self, key: str) -> None:
        """The user pressed a key that the session does not handle."""

    def note(self, line: str) -> None:
        """There is a warning about the source for the user."""

    def warn(self, line: str) -> None:
        """Another sink failed, and was removed."""

    def suspend(self) -> None:
        """The process is about to stop: restore the terminal, until a key asks to redraw."""

    def end(self, summary: Record) -> None:
        """The session ended."""

    def handle(self, event: Event) -> None:
        """Handle an event; to handle all alike, override this and :meth:`wants`."""
        event.call(self)

    def wants(self, event: Event) -> bool:
        """Whether it handles such an event."""
        return getattr(type(self), event.name) is not getattr(Sink, event.name)

    def sync(self) -> None:
        """Sync the output to disk."""

    def close(self, until: float = math.inf) -> None:
        """Release all resources, at the latest at a monotonic time."""


class Event:
    """An event of a session.

    Args:
        method: the method of :class:`Sink` that handles it.
        arguments: its arguments.

    Attributes:
        name: name of the method.

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
