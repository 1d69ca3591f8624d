"""The WebSocket protocol of the server: what arrives of one client costs the others little."""

from __future__ import annotations

import time
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

EXTENSION = "live_ser.hold"
"""Where an application finds :meth:`WebSocketProtocol.hold_with` in its scope."""

_READ_BYTES = 1 << 14  # at once: small messages of so many take a hundredth of a second
_SHARE = 0.05  # of a core, that the messages of one client may take
_BURST = 0.1  # seconds of a core, that they may take before that
_MESSAGE_SECONDS = 1e-4  # of a core, that a message takes in the application
_PATIENCE = 10.0  # seconds on end that a client may want more than its share


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol, for many clients that send sound in small blocks.

    An application may take binary messages where they arrive. Four of five blocks of 0.1 s only
    have to be held until the hop is complete; on the usual way, each of them would pause the
    connection, wake a task and resume the connection.

    A client that floods the server with small messages is read no faster than they can be handled
    in a small share of a core, and its connection is closed if it goes on with it.
    """

    _hold: Callable[[bytes], bool] | None = None
    _spent = 0.0  # seconds of a core beyond its share, up to the time below
    _spent_at = 0.0
    _over_since: float | None = None  # when it began to want more
    _rest: TimerHandle | None = None  # until it is read again

    def hold_with(self, hold: Callable[[bytes], bool]) -> None:
        """Offer each binary message to a function before it is queued.

        Args:
            hold: whether it took the message; if not, the message goes the usual way. It is not
                asked while earlier messages wait.
        """
        self._hold = hold

    def connection_made(self, transport: Any) -> None:
        """Begin to read, a little at a time."""
        super().connection_made(transport)
        transport.max_size = _READ_BYTES

    async def run_asgi(self) -> None:
        """Run the application, which finds the extension in its scope."""
        self.scope["extensions"][EXTENSION] = {"with": self.hold_with}
        try:
            await super().run_asgi()
        finally:
            # What is known of the stream is let go at once, not when cycles are looked for.
            self._hold = None
            del self.scope["extensions"][EXTENSION]

    def data_received(self, data: bytes) -> None:
        """Take what was read."""
        began = time.thread_time()
        super().data_received(data)
        self._spend(time.thread_time() - began)

    async def receive(self) -> Any:
        """The next message for the application."""
        message = await super().receive()
        self._spend(_MESSAGE_SECONDS)
        return message

    def handle_bytes(self, event: Frame) -> None:
        """Take a binary message, or the first part of one."""
        is_held = (
            self._hold is not None
            and event.fin
            and self.queue.empty()
            and self._hold(bytes(event.data))
        )
        if not is_held:
            super().handle_bytes(event)

    def handle_ping(self) -> None:
        """Answer a ping; who reads no answers is no client, and they would pile up."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()

    def _spend(self, seconds: float) -> None:
        """Count time that the client took; read it no more while it took too much."""
        now = self.loop.time()
        left = max(0.0, self._spent - _SHARE * (now - self._spent_at))
        self._spent, self._spent_at = left + seconds, now
        if not left:
            self._over_since = None
        if self._spent <= _BURST:
            return
        self._over_since = self._over_since or now
        if now - self._over_since > _PATIENCE:
            self._give_up()
            return
        self.transport.pause_reading()
        if self._rest is None:
            self._rest = self.loop.call_later((self._spent - _BURST) / _SHARE, self._go_on)

    def _go_on(self) -> None:
        self._rest = None
        if not self.read_paused:  # else once the queue is empty
            self.transport.resume_reading()

    def _give_up(self) -> None:
        """Close the connection: what it still sent would be handled for minutes."""
        self.conn.fail(CloseCode.POLICY_VIOLATION, "too many small messages")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
