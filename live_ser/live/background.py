"""Sinks in background threads, so that a slow one does not block the session."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from live_ser.errors import OutputError
from live_ser.live.deadlines import beside
from live_ser.live.sink import Event, Sink

ROOM = 2048  # events in the queue at most: 200 s of sound, a quarter of an hour of records
SYNC_SECONDS = 0.25  # so that less than a second is lost in a power cut
_GRACE_SECONDS = 1.0  # for the rest of the queue, at the end
_LOOK_SECONDS = 0.05  # between checks while waiting


class Background(Sink):
    """Runs another sink in a daemon thread, through a bounded queue.

    Its output is synced to disk four times a second. When the queue is full, a sink that ``skips``
    misses events, and any other one is abandoned.

    Args:
        sink: the sink to feed, sync and close in the thread.
        room: size of the queue.
        patient: whether to wait when the queue is full, as when a file is replayed as fast as
            possible.
    """

    def __init__(
        self, sink: Sink, *, room: int = ROOM, patient: Callable[[], bool] = lambda: False
    ) -> None:
        self.name, self.keeps_going, self.stores = sink.name, sink.keeps_going, sink.stores
        self._sink, self._room, self._patient = sink, room, patient
        self._waiting: deque[tuple[float, Event]] = deque()  # with the monotonic time they came at
        self._since: float | None = None  # when the event came that the sink is at
        self._changed = threading.Condition()
        self._suspended = threading.Event()
        self._closing = False
        self._failure: Exception | None = None
        self._thread = beside(self._work, sink.name)

    @property
    def intact(self) -> bool:
        """Whether the sink still works."""
        return self._failure is None

    def wants(self, event: Event) -> bool:
        """Whether the sink handles such an event."""
        return self._sink.wants(event)

    def handle(self, event: Event) -> None:
        """Put an event into the queue.

        Raises:
            Exception: the sink failed, or was abandoned because it is stuck.
        """
        self._suspended.clear()
        self._put(event)
        if event.name == "suspend" and self.wants(event):
            self._suspended.wait(_GRACE_SECONDS)  # the process must not stop before that
        if event.name == "end":
            self._finish()

    def close(self, until: float = math.inf) -> None:
        """Finish the queue and close the sink.

        Args:
            until: monotonic time at which it is abandoned.

        Raises:
            Exception: the sink failed, or was abandoned.
        """
        self._finish()
        while self._thread.is_alive():
            if self._patient():  # the sinks closed before this one may have taken all the time
                until = max(until, time.monotonic() + _GRACE_SECONDS)
            elif time.monotonic() >= until:
                break
            self._thread.join(_LOOK_SECONDS)
        with self._changed:
            if self._thread.is_alive():
                self._give_up()
            if self._failure is not None:
                raise self._failure

    def _finish(self) -> None:
        """Accept no more events, and end after those in the queue."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _put(self, event: Event) -> None:
        is_wanted = self.wants(event)
        with self._changed:
            while is_wanted and self._is_full and self.intact and self._patient():
                self._changed.wait(_LOOK_SECONDS)
            if is_wanted and self._is_full and not self._sink.skips:
                self._give_up()
            if self._failure is not None:
                raise self._failure
            if is_wanted and not self._is_full and not self._closing:
                self._waiting.append((time.monotonic(), event))
                self._changed.notify_all()

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= self._room

    def _give_up(self) -> None:
        """Abandon the sink."""
        oldest = self._since if self._since is not None else time.monotonic()
        lost = time.monotonic() - oldest
        stands = f"it stands still, and what came in the last {lost:.1f} s is lost"
        self._failure = self._failure or OutputError(stands, "see why it takes nothing more")
        self._waiting.clear()
        self._closing = True

    def _work(self) -> None:
        try:
            self._feed()
        except Exception as error:
            with self._changed:
                self._failure = self._failure or error
                self._waiting.clear()
                self._changed.notify_all()
        with suppress(Exception):  # the error is raised already
            self._sink.close()

    def _feed(self) -> None:
        """Pass events to the sink, and sync regularly, until the end."""
        synced, is_dirty = time.monotonic(), False
        while True:
            with self._changed:
                if not self._waiting and not self._closing:
                    self._changed.wait(SYNC_SECONDS if is_dirty else None)
                if not self._waiting and self._closing:
                    break
                self._since, event = self._waiting.popleft() if self._waiting else (None, None)
                self._changed.notify_all()
            if event is not None:
                self._sink.handle(event)
                is_dirty = True
                if event.name == "suspend":
                    self._suspended.set()
            if is_dirty and time.monotonic() - synced >= SYNC_SECONDS:
                self._sink.sync()
                synced, is_dirty = time.monotonic(), False
        self._sink.sync()
