"""Readers of the server's microphone: each gets every record, and a slow one is dropped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress

from live_ser.records.schema import Record
from live_ser.server.protocol import BUSY, GOING_AWAY, SLOW, ProtocolError
from live_ser.server.service import Service, text_of

ROOM = 128  # records that wait for a reader: a minute of them
HISTORY = 240  # records that a new reader may ask for: the last two minutes
_KEEPALIVE = 15.0  # seconds, after which a reader is sent something, or it would never be missed


class Reader:
    """The records for one reader, in their order: iterate over it.

    Args:
        first: messages that it begins with.
    """

    def __init__(self, first: list[str]) -> None:
        self.close = 0  # code with which it is to be closed
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
        """End it: nothing more is sent, unless the server goes away in order."""
        self.close = self.close or code
        self._came.set()
        if self._sending is not None and code != GOING_AWAY:
            with suppress(RuntimeError):  # nothing is being sent
                self._sending.reschedule(0)

    async def messages(self) -> AsyncIterator[str]:
        """Yield what comes, and an empty message where long nothing does, until it is ended."""
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
        """The time in which a message has to be sent; over at once where the reader is ended."""
        self._sending = asyncio.timeout(seconds)
        return self._sending


class Broadcast:
    """Gives what the server's microphone brings to all readers.

    It lives in the event loop; a sink hands the records over.

    Args:
        service: whose limits and counters are used.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._readers: set[Reader] = set()
        self._session: str | None = None  # how the session that is going on began
        self._newest: deque[str] = deque(maxlen=HISTORY)
        self.status: Record = {"type": "live", "state": "off", "source": None}

    def publish(self, record: Record) -> None:
        """Give a record to all readers, and drop those who have no room for it."""
        text = text_of(record)
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
        """Begin to read.

        Args:
            history: how many of the newest records to begin with.

        Raises:
            ProtocolError: there are too many readers.
        """
        if len(self._readers) >= self._service.limits.readers:
            raise ProtocolError("busy", f"{len(self._readers)} readers are there", close=BUSY)
        first = [text_of(self.status)]
        if self._session is not None:
            first += [self._session, *list(self._newest)[max(0, len(self._newest) - history) :]]
        reader = Reader(first)
        self._readers.add(reader)
        self._service.metrics.add("readers")
        if self._service.ending:
            reader.leave(GOING_AWAY)
        return reader

    def part(self, reader: Reader) -> None:
        """End reading."""
        self._readers.discard(reader)
        self._service.metrics.add("readers", -1)

    def end(self) -> None:
        """End all readers, once they have what waits for them."""
        for reader in list(self._readers):
            reader.leave(GOING_AWAY)
