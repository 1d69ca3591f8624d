"""``/v1/stream``: sound in, the records of a session out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from live_ser.records.record import Record
from live_ser.server.protocol import (
    BUSY,
    DONE,
    GOING_AWAY,
    IDLE,
    INTERNAL,
    MESSAGE_BYTES,
    ProtocolError,
    Start,
    error_record,
    parsed,
    unknown,
)
from live_ser.server.service import Service, close, send
from live_ser.server.stream_session import StreamSession
from live_ser.server.websocket import EXTENSION

_LONGEST_GAP = 86_400.0  # seconds
_REAL_TIME = 2.0  # seconds of sound at once that still count as real time
_REASONS = ("nothing came", "overflow", "paused", "microphone gone")
_COMMANDS = ("mark", "label", "undo", "gap", "turn", "ping", "stop")


class StreamEndpoint:
    """Serves clients that send sound.

    Args:
        service: the service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def serve(self, socket: WebSocket) -> None:
        """Serve a client until the stream ends."""
        metrics = self._service.metrics
        await socket.accept()
        if refusal := self._service.refusal:
            metrics.add("errors_total", code="busy")
            await close(socket, BUSY, [error_record("busy", refusal, "try again later")])
            return
        metrics.add("sessions")
        metrics.add("sessions_total")
        try:
            await self._serve(socket)
        except WebSocketDisconnect:
            pass
        except ProtocolError as error:
            metrics.add("errors_total", code=error.code)
            await close(socket, error.close, [error.record()])
        except Exception:
            metrics.add("errors_total", code="internal")
            await close(socket, INTERNAL, [error_record("internal", "the server failed")])
            raise
        finally:
            metrics.add("sessions", -1)

    async def _serve(self, socket: WebSocket) -> None:
        start = await self._started(socket)
        if start is None:
            await close(socket, GOING_AWAY)
            return
        session = await self._service.run(StreamSession, self._service.model, start)
        client = _Client(socket, session, self._service)
        try:
            await client.send([session.begin()])
            code = await client.serve()
        except ProtocolError as error:
            self._service.metrics.add("errors_total", code=error.code)
            await client.finish(error.close, error.record())
        except BaseException:
            await client.finish(INTERNAL)
            raise
        else:
            await client.finish(code)

    async def _started(self, socket: WebSocket) -> Start | None:
        """The first message of a client; None if the server shuts down before."""
        text = await received(socket, self._service, self._service.limits.idle)
        if text is None:
            return None
        if isinstance(text, bytes):
            raise ProtocolError(
                "not_started", "sound before the start", 'send {"type": "start", ...} first'
            )
        message = parsed(text)
        if message["type"] != "start":
            raise unknown(message, ("start",))
        return Start.from_message(message)


async def received(
    socket: WebSocket, service: Service, idle: float | None = None
) -> str | bytes | None:
    """The next message of a client; None if the server shuts down before.

    Args:
        socket: the connection.
        service: the service.
        idle: seconds to wait; None for no limit.

    Raises:
        ProtocolError: no message comes, or it is too long.
        WebSocketDisconnect: the client disconnected.
    """
    try:
        async with service.waiting(idle):
            message = await socket.receive()
    except TimeoutError as error:
        if service.ending:
            return None
        seconds = service.limits.idle
        raise ProtocolError("idle", f"no message for {seconds:g} s", close=IDLE) from error
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", DONE))
    data: str | bytes = message.get("bytes") or message.get("text") or b""
    if len(data) > MESSAGE_BYTES:
        raise ProtocolError("too_large", f"a message of more than {MESSAGE_BYTES} bytes")
    return data


class _Client:
    """A client whose stream has started."""

    def __init__(self, socket: WebSocket, session: StreamSession, service: Service) -> None:
        self._socket, self._session, self._service = socket, session, service
        self._began = self._newest = time.monotonic()
        self._waits = False  # whether it waits for a message
        if extension := socket.scope.get("extensions", {}).get(EXTENSION):
            extension["with"](self._hold)

    async def send(self, records: list[Record]) -> None:
        await send(self._socket, records, self._service.limits.slow)

    async def serve(self) -> int:
        """Handle messages until the stream ends.

        Returns:
            The code to close the connection with.
        """
        while (message := await self._received()) is not None:
            if isinstance(message, bytes):
                await self._feed(message)
            elif not await self._obey(message):
                return DONE
        return GOING_AWAY

    def _hold(self, data: bytes) -> bool:
        """Store sound that does not complete a hop, without waking the task of the client."""
        if not (self._waits and self._session.hold(data)):
            return False
        self._newest = time.monotonic()
        return True

    async def _received(self) -> str | bytes | None:
        """The next message that is not held, see :func:`received`."""
        idle, self._newest = self._service.limits.idle, time.monotonic()
        self._waits = True
        try:
            while True:
                left = self._newest + idle - time.monotonic()
                try:
                    return await received(self._socket, self._service, left)
                except ProtocolError as error:
                    if error.close != IDLE or self._newest + idle <= time.monotonic():
                        raise  # handle the held data first
        finally:
            self._waits = False

    async def _feed(self, data: bytes) -> None:
        """Feed sound, a hop at a time, so that the sessions take turns."""
        arrived = time.perf_counter()
        metrics = self._service.metrics
        for part in _parts(data, self._session.slice_bytes):
            before = self._session.seconds
            # Most blocks complete no hop and need no thread.
            is_complete = self._session.take(part)
            metrics.add("sound_seconds_total", self._session.seconds - before)
            if is_complete:
                urgent = self._ahead < _REAL_TIME
                records = await self._service.run(self._session.windows, urgent=urgent)
                metrics.add("windows_total", len(records))
                await self.send(records)
                metrics.took(time.perf_counter() - arrived)
            if self._service.ending:
                return
        await self._keep_pace()

    @property
    def _ahead(self) -> float:
        """Seconds of sound ahead of real time."""
        return self._session.seconds - (time.monotonic() - self._began)

    async def _keep_pace(self) -> None:
        """Pause reading from a client that is too fast."""
        limits = self._service.limits
        spoken = self._session.seconds - limits.ahead
        early = spoken / limits.speed - (time.monotonic() - self._began)
        if early > 0:
            with suppress(TimeoutError):
                async with self._service.waiting(early):
                    await asyncio.sleep(early)

    async def _obey(self, text: str) -> bool:
        """Handle a message; return whether to continue."""
        message = parsed(text)
        kind: str = message["type"]
        run = self._service.run
        self._session.flush()  # the sound before it
        if kind == "mark":
            await self.send([self._session.mark()])
        elif kind == "turn":
            await self.send(await run(self._session.turn))
        elif kind == "gap":
            await self.send(await run(self._session.gap, *_gap(message)))
        elif kind == "label":
            await self.send(await run(self._session.label, message.get("label")))
        elif kind == "undo":
            await self.send(await run(self._session.undo))
        elif kind not in ("ping", "stop"):
            raise unknown(message, _COMMANDS)
        return kind != "stop"

    async def finish(self, code: int, *last: Record) -> None:
        """End the session, tell the client if it is there, and close the connection.

        Args:
            code: code to close the connection with.
            last: records to send before the end of the session.
        """
        records = await self._service.run(self._session.finish)
        await close(self._socket, code, [*last, *records])


def _parts(data: bytes, size: int) -> Iterator[bytes]:
    """Bytes in parts of at most a size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def _gap(message: dict[str, object]) -> tuple[float, str]:
    """Seconds and reason of a gap.

    Raises:
        ProtocolError: the seconds are out of range, or the reason is unknown.
    """
    seconds, reason = message.get("seconds"), message.get("reason", _REASONS[0])
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 < seconds <= _LONGEST_GAP:  # type: ignore[operator]
        raise ProtocolError("bad_message", "a gap without its seconds", '{"seconds": 0.5}')
    if reason not in _REASONS:
        raise ProtocolError("bad_message", f"no reason {reason!r:.60}", ", ".join(_REASONS))
    return float(seconds), str(reason)  # type: ignore[arg-type]
