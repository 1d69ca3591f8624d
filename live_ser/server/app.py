"""The server: its endpoints, start and shutdown."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from live_ser import __version__
from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.record import Record
from live_ser.server.access import Access, Rules, answer
from live_ser.server.http import HttpProtocol
from live_ser.server.live import Live, Microphone
from live_ser.server.pages import Pages
from live_ser.server.protocol import (
    ENCODINGS,
    HIGHEST_RATE,
    LOWEST_RATE,
    MESSAGE_BYTES,
    MOST_CHANNELS,
    error_record,
)
from live_ser.server.readers import Broadcast
from live_ser.server.reading import EventsEndpoint, LiveEndpoint
from live_ser.server.recordings import FileEndpoint
from live_ser.server.service import Limits, Service
from live_ser.server.streams import StreamEndpoint
from live_ser.server.websocket import WebSocketProtocol

_SOCKETS = ("/v1/stream", "/v1/live")
_LOOK_SECONDS = 0.05  # between checks whether to end
_END_SECONDS = 3.0  # for sessions to end
_BACKLOG = 1024  # pending connections
_OTHER_FILES = 256  # connections that ask for something else, and files of the process
_DEAD_SECONDS = 30  # after which the system drops an unresponsive client


@dataclass(frozen=True)
class Plan:
    """The configuration of a server.

    Attributes:
        model: the model.
        microphone: the server's microphone.
        rules: the rules of access.
        limits: the limits.
        listening: whether to open the microphone at the start.
    """

    model: EmotionModel
    microphone: Microphone
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    listening: bool = False


class Server:
    """All endpoints, as an ASGI application in ``app``.

    Args:
        plan: the configuration.

    Attributes:
        app: the application.
        service: the service that the endpoints share.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.service = Service(plan.model, plan.limits)
        self._broadcast = Broadcast(self.service)
        self._live = Live(plan.model, plan.microphone, self._publish)
        self._files = FileEndpoint(self.service)
        self._loop: asyncio.AbstractEventLoop | None = None
        metrics = self.service.metrics
        access = Middleware(Access, rules=plan.rules, refused=lambda: metrics.add("refused_total"))
        self.app = Starlette(
            routes=self._routes(),
            middleware=[access],
            exception_handlers={HTTPException: _refused},
            lifespan=self._lifespan,
        )
        self.app.router.default = _unknown

    def _routes(self) -> list[BaseRoute]:
        pages = Pages(self._plan.model.info, self._plan.rules)
        streams = StreamEndpoint(self.service)
        live = LiveEndpoint(self.service, self._live, self._broadcast)
        return [
            WebSocketRoute(_SOCKETS[0], streams.serve),
            WebSocketRoute(_SOCKETS[1], live.serve),
            Route("/v1/events", EventsEndpoint(self.service, self._broadcast), methods=["GET"]),
            Route("/v1/file", self._files.serve, methods=["POST"]),
            Route("/v1/info", self._info),
            Route("/healthz", _healthy),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
            Route("/openapi.json", pages.openapi),
            Route("/docs", pages.reference),
            Route("/", pages.page),
            Route("/overlay", pages.overlay),
            Route("/page/{name}", pages.script),
        ]

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        if self._plan.listening:
            self._live.start()
        yield
        self.service.end()
        self._files.close()
        self.service.close()

    async def end(self) -> None:
        """Ask every session to end, and wait briefly."""
        await asyncio.to_thread(self._live.close)
        self._broadcast.end()
        self.service.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                while self.service.metrics.value("sessions") + self.service.metrics.value(
                    "readers"
                ):
                    await asyncio.sleep(_LOOK_SECONDS)

    def _publish(self, record: Record) -> None:
        """Pass a record of the microphone to the event loop."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._broadcast.publish, record)

    async def _info(self, request: Request) -> Response:
        info, limits = self._plan.model.info, self._plan.limits
        return JSONResponse(
            {
                "version": __version__,
                "model": info.name,
                "licence": info.licence,
                "labels": list(info.labels),
                "sample_rate": info.features.sample_rate,
                "window": info.window,
                "hop": info.hop,
                "encodings": list(ENCODINGS),
                "rates": [LOWEST_RATE, HIGHEST_RATE],
                "channels": MOST_CHANNELS,
                "message_bytes": MESSAGE_BYTES,
                "sessions": limits.sessions,
                "readers": limits.readers,
                "idle": limits.idle,
                "live": self._broadcast.status,
            }
        )

    async def _ready(self, request: Request) -> Response:
        service = self.service
        if service.ending or service.refusal:
            return PlainTextResponse("ending\n" if service.ending else "full\n", 503)
        return PlainTextResponse("ready\n")

    async def _metrics(self, request: Request) -> Response:
        metrics = self.service.metrics
        metrics.add("listening", self._live.is_on - metrics.value("listening"))
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")


async def _healthy(request: Request) -> Response:
    """Answer that the server runs."""
    return PlainTextResponse("ok\n")


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for unknown paths, also to WebSockets, and for WebSockets without one."""
    status, message = 404, f"there is nothing at {scope['path']:.60}"
    if scope["path"] in _SOCKETS and scope["type"] == "http":
        status, message = 426, f"{scope['path']} takes WebSockets"
    error = error_record("http", message, "/docs lists what is")
    await answer(scope, send, status, (), json.dumps(error).encode())


async def _refused(request: Request, error: Exception) -> Response:
    """Answer an HTTP error as JSON."""
    assert isinstance(error, HTTPException)
    return JSONResponse(error_record("http", str(error.detail)), error.status_code)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens for clients.

    Args:
        host: address or name.
        port: port; 0 for any free one.

    Raises:
        LiveSerError: the address or port is not available.
    """
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        opened = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise LiveSerError(
            f"cannot listen on {host}: {error.strerror}", "`host=127.0.0.1`"
        ) from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # drop unresponsive clients
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * _DEAD_SECONDS)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        raise LiveSerError(
            f"cannot listen on {host}, port {port}: {error.strerror}", "take another `port`"
        ) from error
    return opened


def run(server: Server, opened: socket.socket, ending: Callable[[], bool]) -> None:
    """Serve until asked to end.

    Args:
        server: the server.
        opened: the listening socket, closed at the end.
        ending: function that returns whether to end.
    """
    _allow_connections(server.service.limits)
    asyncio.run(_run(server, opened, ending))


_NO_NEWS = ("without completing handshake", "Invalid UTF-8 sequence received")


def _is_news(record: logging.LogRecord) -> bool:
    """A filter: Uvicorn logs an error for every client that is refused, or sends garbage."""
    return not any(text in record.getMessage() for text in _NO_NEWS)


class _Complaints:
    """Says in one line, once, that no more connections can be opened; it is tried each second."""

    _said = False

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an error that nobody else does."""
        error, message = context.get("exception"), context.get("message", "")
        if self._said and "_start_serving" in message:
            return  # the next try, after the end
        if not (isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)):
            loop.default_exception_handler(context)
        elif not self._said:
            self._said = True
            logging.getLogger("uvicorn.error").error(
                "too many connections are open: others wait; `ulimit -n` raises how many can be"
            )


def _allow_connections(limits: Limits) -> None:
    """Allow as many open files as the clients need, as far as the system lets the user."""
    if os.name != "nt":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = limits.sessions + limits.readers + _OTHER_FILES
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(server: Server, opened: socket.socket, ending: Callable[[], bool]) -> None:
    running = _Uvicorn(
        uvicorn.Config(
            server.app,
            http=HttpProtocol,
            ws=WebSocketProtocol,
            log_level="error",
            access_log=False,
            ws_max_size=MESSAGE_BYTES,
            # No pings: a client that is paused cannot answer them. Idle limits and TCP timeouts
            # detect lost clients.
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            backlog=_BACKLOG,
        )
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    asyncio.get_running_loop().set_exception_handler(_Complaints())
    task = asyncio.create_task(running.serve([opened]))
    while not ending() and not task.done():
        await asyncio.sleep(_LOOK_SECONDS)
    await server.end()
    running.should_exit = True
    await task


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its signal handlers: the command has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
