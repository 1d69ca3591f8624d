"""``/v1/live`` and ``/v1/events``: the records of the server's microphone, for many readers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from live_ser.server.live import Live
from live_ser.server.protocol import DONE, ProtocolError, parsed, unknown
from live_ser.server.readers import HISTORY, Broadcast, Reader
from live_ser.server.service import Service, close
from live_ser.server.streams import received

_COMMANDS = ("start", "stop", "pause", "mark", "label", "undo")


class LiveEndpoint:
    """Serves readers by WebSocket; they may also start and stop the microphone.

    Args:
        service: the service.
        live: the server's microphone.
        broadcast: the broadcast of its records.
    """

    def __init__(self, service: Service, live: Live, broadcast: Broadcast) -> None:
        self._service, self._live, self._broadcast = service, live, broadcast

    async def serve(self, socket: WebSocket) -> None:
        """Serve a reader until it or the server ends."""
        await socket.accept()
        try:
            reader = self._broadcast.join(_history(socket.query_params.get("history")))
        except ProtocolError as error:
            await close(socket, error.close, [error.record()])
            return
        obeying = asyncio.create_task(self._obey(socket, reader))
        try:
            await self._send(socket, reader)
        finally:
            self._broadcast.part(reader)
            obeying.cancel()

    async def _send(self, socket: WebSocket, reader: Reader) -> None:
        try:
            async for text in reader.messages():
                if text:  # WebSockets have pings
                    async with reader.sending(self._service.limits.slow):
                        await socket.send_text(text)
        except TimeoutError:
            pass
        except (WebSocketDisconnect, RuntimeError):
            return
        await close(socket, reader.close or DONE)

    async def _obey(self, socket: WebSocket, reader: Reader) -> None:
        """Handle messages of a reader until it disconnects."""
        try:
            while (message := await received(socket, self._service)) is not None:
                if isinstance(message, bytes):
                    raise ProtocolError("bad_message", "sound goes to /v1/stream")
                self._do(parsed(message))
        except WebSocketDisconnect:
            reader.leave(DONE)
        except ProtocolError as error:
            self._service.metrics.add("errors_total", code=error.code)
            await close(socket, error.close, [error.record()])
            reader.leave(error.close)

    def _do(self, message: dict[str, Any]) -> None:
        kind: str = message["type"]
        if kind == "start":
            self._live.start()
        elif kind == "stop":
            self._live.stop()
        elif kind == "label":
            self._live.press(str(_place(message.get("label"), self._live.labels) + 1))
        elif kind in _KEYS:
            self._live.press(_KEYS[kind])
        else:
            raise unknown(message, _COMMANDS)


_KEYS = {"pause": " ", "mark": "m", "undo": "u"}


class EventsEndpoint:
    """Serves readers by server-sent events.

    Args:
        service: the service.
        broadcast: the broadcast of the microphone's records.
    """

    def __init__(self, service: Service, broadcast: Broadcast) -> None:
        self._service, self._broadcast = service, broadcast

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader disconnects."""
        try:
            reader = self._broadcast.join(_history(Request(scope).query_params.get("history")))
        except ProtocolError as error:
            await JSONResponse(error.record(), 503)(scope, receive, send)
            return
        watching = asyncio.create_task(_watch(receive, reader))
        try:
            with suppress(TimeoutError, OSError):
                await self._send(send, reader)
        finally:
            self._broadcast.part(reader)
            watching.cancel()

    async def _send(self, send: Send, reader: Reader) -> None:
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # no buffering in proxies
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for text in reader.messages():
            body = f"data: {text}\n\n" if text else ":\n\n"
            async with reader.sending(self._service.limits.slow):
                message = {"type": "http.response.body", "body": body.encode(), "more_body": True}
                await send(message)
        await send({"type": "http.response.body", "body": b""})


async def _watch(receive: Receive, reader: Reader) -> None:
    """End a reader that disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.leave(DONE)


def _history(text: str | None) -> int:
    """The number of past records that a reader requests."""
    return min(int(text), HISTORY) if text and text.isascii() and text.isdigit() else 0


def _place(label: object, labels: Sequence[str]) -> int:
    """The index of a label.

    Raises:
        ProtocolError: there is no such label.
    """
    if not isinstance(label, str) or label not in labels:
        raise ProtocolError("bad_message", f"no label {label!r:.60}", f"one of {', '.join(labels)}")
    return labels.index(label)
