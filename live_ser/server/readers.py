"""Readers of the server's microphone: each gets every record; slow ones are dropped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress

from live_ser.records.jsonl import json_text
from live_ser.records.record import Record
from live_ser.server.protocol import BUSY, GOING_AWAY, SLOW, ProtocolError
from live_ser.server.service import Service

ROOM = 128  # records in the queue of a reader: about a minute
HISTORY = 240  # past records that a new reader may request: two minutes
_KEEPALIVE = 15.0  # seconds between messages, so that a lost reader is noticed


class Reader:
    """The records for a reader, in order: iterate over it.

    Args:
        first: the first messages.
    """

    def __init__(self, first: list[str]) -> None:
        self.close = 0  # close code
        self._waiting = deque(first)
        self._sending: asyncio.Timeout | None = None
        self._came = asyncio.Event()

    def give(self, text: str) -> bool:
        """Put a message into its queue; False if there is no room."""
        if len(self._waiting) >= ROOM + HISTORY:
            return False
        self._waiting.append(text)
        self._came.set()
        return True

    def leave(self, code: int) -> None:
        """End it; nothing more is sent, unless the server shuts down."""
        self.close = self.close or code
        self._came.set()
        if self._sending is not None and code != GOING_AWAY:
            with suppress(RuntimeError):  # it is not sending
                self._sending.reschedule(0)

    async def messages(self) -> AsyncIterator[str]:
        """Yield messages, and empty ones as keepalives, until it is ended."""
        while not (self.close and (self.close != GOING_AWAY or not self._waiting)):
            if self._waiting:
                yield self._waiting.popleft()
                continue
            self._came.clear()
            try:
                async with asyncio.timeout(_KEEPALIVE):
                    await self._came.wait()
            except TimeoutError:
                yield ""

    def sending(self, seconds: float) -> asyncio.Timeout:
        """Limit the time of sending a message; it ends at once with the reader."""
        self._sending = asyncio.timeout(seconds)
        return self._sending


class Broadcast:
    """Sends the records of the server's microphone to all readers.

    It runs in the event loop.

    Args:
        service: the service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._readers: set[Reader] = set()
        self._session: str | None = None  # the session record of the current session
        self._newest: deque[str] = deque(maxlen=HISTORY)
        self.status: Record = {"type": "live", "state": "off", "source": None}

    def publish(self, record: Record) -> None:
        """Send a record to all readers, and drop those with a full queue."""
        text = json_text(record)
        if record["type"] == "session":
            self._session = text
            self._newest.clear()
        elif record["type"] == "end":
            self._session = None
        elif record["type"] == "live":
            self.status = record
        else:
            self._newest.append(text)
        for reader in list(self._readers):
            if not reader.give(text):
                self._service.metrics.add("readers_dropped_total")
                self._readers.discard(reader)
                reader.leave(SLOW)

    def join(self, history: int = 0) -> Reader:
        """Add a reader.

        Args:
            history: number of past records to start with.

        Raises:
            ProtocolError: there are too many readers.
        """
        if len(self._readers) >= self._service.limits.readers:
            raise ProtocolError("busy", f"{len(self._readers)} readers are there", close=BUSY)
        first = [json_text(self.status)]
        if self._session is not None:
            first += [self._session, *list(self._newest)[max(0, len(self._newest) - history) :]]
        reader = Reader(first)
        self._readers.add(reader)
        self._service.metrics.add("readers")
        if self._service.ending:
            reader.leave(GOING_AWAY)
        return reader

    def part(self, reader: Reader) -> None:
        """Remove a reader."""
        self._readers.discard(reader)
        self._service.metrics.add("readers", -1)

    def end(self) -> None:
        """End all readers after their queued messages."""
        for reader in list(self._readers):
            reader.leave(GOING_AWAY)
