"""The HTTP protocol of the server, which closes connections without a request."""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0  # time limit for the first line and the headers of a request


class HttpProtocol(H11Protocol):
    """Uvicorn's protocol, which disconnects clients that do not send a request in time.

    Each connection takes a file descriptor, of which a process has about a thousand; once they are
    used up, the server cannot accept any other client.
    """

    _late: TimerHandle | None = None  # runs while a request is awaited

    def connection_made(self, transport: Any) -> None:
        """Start to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Handle bytes from the client, which may be less than a request."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
