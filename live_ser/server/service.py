"""What the endpoints of a server share: model, limits, counters, and the way to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from live_ser.batch.workers import cores
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.schema import Record
from live_ser.server.metrics import Metrics
from live_ser.server.protocol import SLOW, ProtocolError
from live_ser.server.workers import Workers
from live_ser.text import disarmed

T = TypeVar("T")

_CLOSE_SECONDS = 1.0  # that a client has to take the last messages


@dataclass(frozen=True)
class Limits:
    """What one client may take.

    Attributes:
        sessions: streams at once.
        readers: of the server's microphone at once.
        idle: seconds without a message, after which a stream is closed.
        slow: seconds that a client may take to read what it was sent.
        late: seconds that sound may wait on average before more streams are refused.
        speed: of a stream, in seconds of sound a second; after the first ``ahead`` seconds.
        ahead: seconds of sound that a stream may bring at once.
        file_bytes: of a recording that is posted.
    """

    sessions: int = 128
    readers: int = 2000
    idle: float = 60.0
    slow: float = 10.0
    late: float = 1.0
    speed: float = 8.0
    ahead: float = 30.0
    file_bytes: int = 256 * 2**20


@dataclass
class Service:
    """A model at work for many clients.

    Networks run in threads beside the event loop. A session has one job in them at a time, of one
    hop of sound at most; the jobs of all sessions take turns, those whose sound comes in real time
    before those who bring it faster.

    Attributes:
        model: that classifies for all.
        limits: of each client.
        metrics: what was done so far.
        ending: whether the server is about to end.
    """

    model: EmotionModel
    limits: Limits = field(default_factory=Limits)
    metrics: Metrics = field(default_factory=Metrics)
    ending: bool = False

    def __post_init__(self) -> None:
        self._workers = Workers(cores(), "live-ser-stream")
        self._waiting: set[asyncio.Timeout] = set()

    @property
    def refusal(self) -> str:
        """Why no more streams are taken; empty where they are."""
        if self.metrics.value("sessions") >= self.limits.sessions:
            return f"{self.limits.sessions} streams are open"
        if self._workers.delay > self.limits.late:
            return "the streams that are open take all the time there is"
        return ""

    async def run(self, work: Callable[..., T], *arguments: object, urgent: bool = True) -> T:
        """Do something that blocks, in a thread.

        Args:
            work: what is done.
            arguments: that it is called with.
            urgent: whether it goes before all that is not.
        """
        return await self._workers.run(partial(work, *arguments), urgent=urgent)

    @asynccontextmanager
    async def waiting(self, seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
        """Wait for a client, and no longer than this or until the server ends.

        Raises:
            TimeoutError: it is over.
        """
        async with asyncio.timeout(0 if self.ending else seconds) as timeout:
            self._waiting.add(timeout)
            try:
                yield timeout
            finally:
                self._waiting.discard(timeout)

    def end(self) -> None:
        """Have every session send its end."""
        self.ending = True
        for timeout in list(self._waiting):
            with suppress(RuntimeError):  # it is just over
                timeout.reschedule(0)

    def close(self) -> None:
        """Let go of the threads."""
        self._workers.close()


def text_of(record: Record) -> str:
    """A record as a message."""
    return disarmed(json.dumps(record, ensure_ascii=False, allow_nan=False))


async def send(socket: WebSocket, records: Iterable[Record], seconds: float) -> None:
    """Send records, a message each.

    Raises:
        ProtocolError: the client does not read them.
        WebSocketDisconnect: it is gone.
    """
    try:
        async with asyncio.timeout(seconds):
            for record in records:
                await socket.send_text(text_of(record))
    except TimeoutError as error:
        raise ProtocolError("slow", "the records are not read", close=SLOW) from error
    except RuntimeError as error:  # the connection was closed for what the client sent
        raise WebSocketDisconnect(1006) from error


async def close(socket: WebSocket, code: int, records: Iterable[Record] = ()) -> None:
    """Close a connection after some last records, whether the client takes them or not."""
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, ProtocolError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await send(socket, records, _CLOSE_SECONDS)
            await socket.close(code)
