"""The WebSocket protocol of the server: sound that completes no hop wakes nobody."""

from __future__ import annotations

from collections.abc import Callable

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

EXTENSION = "live_ser.hold"
"""Where an application finds :meth:`WebSocketProtocol.hold_with` in its scope."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol, whose binary messages an application may take where they arrive.

    Four of five blocks of 0.1 s only have to be kept until the hop is complete. On the usual way
    each of them pauses the connection, wakes a task and resumes the connection, which costs
    several times as much as reading it.
    """

    _hold: Callable[[bytes], bool] | None = None

    def hold_with(self, hold: Callable[[bytes], bool]) -> None:
        """Offer each binary message to a function before it is queued.

        Args:
            hold: whether it took the message; if not, the message goes the usual way. It is not
                asked while earlier messages wait.
        """
        self._hold = hold

    async def run_asgi(self) -> None:
        """Run the application, which finds this extension in its scope."""
        self.scope["extensions"][EXTENSION] = {"with": self.hold_with}
        await super().run_asgi()

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
