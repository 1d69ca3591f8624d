"""The fan-out of a session: each event goes to every sink, and sinks fail independently."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from live_ser.errors import LiveSerError, reason
from live_ser.live.sink import Event, Sink

P = ParamSpec("P")

_ENDING_SECONDS = 1.0  # for sinks to finish


class FanOut:
    """The sinks of a session; one that fails is removed, and the others continue.

    Attributes:
        failures: a line for each sink that failed.
        intact: whether every sink that stores something for the user has worked.
    """

    def __init__(self) -> None:
        self._sinks: list[Sink] = []
        self.failures: list[str] = []
        self.intact = True
        self._is_closing = False

    def attach(self, sink: Sink) -> None:
        """Add a sink."""
        self._sinks.append(sink)

    def send(
        self, method: Callable[Concatenate[Sink, P], None], *arguments: P.args, **named: P.kwargs
    ) -> None:
        """Send an event to every sink.

        Args:
            method: the method of :class:`Sink` for the event, such as ``Sink.mark``.
            arguments: its arguments.
            named: not allowed; arguments are positional.

        Raises:
            LiveSerError: the last sink that gives the session a purpose failed.
            OSError: as above.
        """
        event = Event(method, *arguments, **named)
        self._each(lambda sink: sink.handle(event))

    def close(self, until: float | None = None) -> None:
        """Close all sinks.

        Args:
            until: monotonic time at which a sink is abandoned; None for a second from now.
        """
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
        if sink not in self._sinks:  # it failed again, on its own failure
            return
        self._sinks.remove(sink)
        has_enough = isinstance(error, BrokenPipeError)  # the reader stopped on purpose
        if sink.stores and not has_enough:
            self.intact = False
        is_last = not any(other.keeps_going for other in self._sinks)
        if is_last and self._is_closing and has_enough:
            return
        why = error.message if isinstance(error, LiveSerError) else reason(error)
        failure = f"{sink.name} is given up: {why}"
        if is_last and not self._is_closing:
            raise type(error)(failure, error.hint) if isinstance(error, LiveSerError) else error
        self.failures.append(failure)
        self.send(Sink.warn, failure)
