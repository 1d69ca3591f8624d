"""What the endpoints share: the model, limits, metrics, and the shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from live_ser.batch.workers import cores
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.jsonl import json_text
from live_ser.records.record import Record
from live_ser.server.metrics import Metrics
from live_ser.server.protocol import SLOW, ProtocolError
from live_ser.server.workers import Workers

T = TypeVar("T")

_CLOSE_SECONDS = 1.0  # for a client to read the last messages


@dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Attributes:
        sessions: maximum number of streams.
        readers: maximum number of readers of the server's microphone.
        idle: seconds without a message after which a stream is closed.
        slow: seconds for a client to read a message.
        late: mean seconds that sound waits, above which new streams are refused.
        speed: maximum pace of a stream, relative to real time, after the first ``ahead`` seconds.
        ahead: seconds of sound that a stream may send at once.
        file_bytes: maximum size of a posted recording.
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
    """The model and the threads that serve all clients.

    The model runs in threads beside the event loop. A session has one job in them at a time, of at
    most a hop of sound. Sessions take turns; those in real time come before faster ones.

    Attributes:
        model: the model.
        limits: the limits.
        metrics: the metrics.
        ending: whether the server is shutting down.
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
        """Why new streams are refused; empty if they are not."""
        if self.metrics.value("sessions") >= self.limits.sessions:
            return f"{self.limits.sessions} streams are open"
        if self._workers.delay > self.limits.late:
            return "the streams that are open take all the time there is"
        return ""

    async def run(self, work: Callable[..., T], *arguments: object, urgent: bool = True) -> T:
        """Run a blocking function in a thread.

        Args:
            work: the function.
            arguments: its arguments.
            urgent: whether it comes before jobs that are not urgent.
        """
        return await self._workers.run(partial(work, *arguments), urgent=urgent)

    @asynccontextmanager
    async def waiting(self, seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
        """Limit the time of waiting for a client, also by the shutdown.

        Raises:
            TimeoutError: the time is over.
        """
        async with asyncio.timeout(0 if self.ending else seconds) as timeout:
            self._waiting.add(timeout)
            try:
                yield timeout
            finally:
                self._waiting.discard(timeout)

    def end(self) -> None:
        """Ask every session to end."""
        self.ending = True
        for timeout in list(self._waiting):
            with suppress(RuntimeError):  # it has just ended
                timeout.reschedule(0)

    def close(self) -> None:
        """Stop the threads."""
        self._workers.close()


async def send(socket: WebSocket, records: Iterable[Record], seconds: float) -> None:
    """Send each record as a message.

    Raises:
        ProtocolError: the client does not read them.
        WebSocketDisconnect: the client disconnected.
    """
    try:
        async with asyncio.timeout(seconds):
            for record in records:
                await socket.send_text(json_text(record))
    except TimeoutError as error:
        raise ProtocolError("slow", "the records are not read", close=SLOW) from error
    except RuntimeError as error:  # the connection was closed for what the client sent
        raise WebSocketDisconnect(1006) from error


async def close(socket: WebSocket, code: int, records: Iterable[Record] = ()) -> None:
    """Send last records if possible, and close a connection."""
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, ProtocolError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await send(socket, records, _CLOSE_SECONDS)
            await socket.close(code)
