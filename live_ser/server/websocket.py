"""The WebSocket protocol of the server, in which no client takes much time from the others."""

from __future__ import annotations

import time
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

EXTENSION = "live_ser.hold"
"""Key of the scope's extensions under which :meth:`WebSocketProtocol.hold_with` is found."""

_READ_BYTES = 1 << 14  # per read; handling them as small messages takes 0.01 s
_SHARE = 0.05  # of a core, for the messages of one client
_BURST = 0.1  # seconds of a core before the share is enforced
_MESSAGE_SECONDS = 1e-4  # of a core, per message in the application
_PATIENCE = 10.0  # seconds in a row that a client may exceed its share


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol, for many clients that send sound in small blocks.

    An application can take binary messages when they arrive. Of five blocks of 0.1 s, four are
    only stored until the hop is complete. Uvicorn's queue would pause the connection, wake a task
    and resume the connection for each of them.

    The messages of a client may take only a small share of a core. A client that sends more is read
    more slowly, and its connection is closed if it does not stop.
    """

    _hold: Callable[[bytes], bool] | None = None
    _spent = 0.0  # seconds of a core beyond the share, at the time ``_spent_at``
    _spent_at = 0.0
    _over_since: float | None = None  # when the client began to exceed its share
    _rest: TimerHandle | None = None  # resumes reading

    def hold_with(self, hold: Callable[[bytes], bool]) -> None:
        """Offer each binary message to a function before it is queued.

        Args:
            hold: function that returns whether it took the message; if not, the message is queued.
                It is not called while earlier messages wait in the queue.
        """
        self._hold = hold

    def connection_made(self, transport: Any) -> None:
        """Start to read, a little at a time."""
        super().connection_made(transport)
        transport.max_size = _READ_BYTES

    async def run_asgi(self) -> None:
        """Run the application, which finds the extension in its scope."""
        self.scope["extensions"][EXTENSION] = {"with": self.hold_with}
        try:
            await super().run_asgi()
        finally:
            # These cycles keep the stream in memory until the garbage collector finds them.
            self._hold = None
            del self.scope["extensions"][EXTENSION]

    def data_received(self, data: bytes) -> None:
        """Handle bytes from the client."""
        began = time.thread_time()
        super().data_received(data)
        self._spend(time.thread_time() - began)

    async def receive(self) -> Any:
        """The next message for the application."""
        message = await super().receive()
        self._spend(_MESSAGE_SECONDS)
        return message

    def handle_bytes(self, event: Frame) -> None:
        """Handle a binary message, or the first part of one."""
        is_held = (
            self._hold is not None
            and event.fin
            and self.queue.empty()
            and self._hold(bytes(event.data))
        )
        if not is_held:
            super().handle_bytes(event)

    def handle_ping(self) -> None:
        """Answer a ping; abort the connection if the client does not read the answers."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()

    def _spend(self, seconds: float) -> None:
        """Count time that the client took, and pause reading while it is too much."""
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
        if not self.read_paused:  # otherwise, Uvicorn resumes once the queue is empty
            self.transport.resume_reading()

    def _give_up(self) -> None:
        """Close the connection without handling what the client still sends."""
        self.conn.fail(CloseCode.POLICY_VIOLATION, "too many small messages")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
