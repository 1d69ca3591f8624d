"""A server in a thread of this process, and clients of it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, connect

from live_ser.api.model import Model
from live_ser.audio.blocks import Samples
from live_ser.server.access import Rules
from live_ser.server.app import Plan, Server, listening_socket, run
from live_ser.server.live import Microphone
from live_ser.server.service import Limits

Record = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes:
        port: port that it listens on.
        server: the server.
        stop: event that ends it, as a signal does.
    """

    port: int
    server: Server
    stop: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def stream(self, **start: Any) -> Iterator[ClientConnection]:
        """A stream, started with the given fields if there are any."""
        url = f"ws://127.0.0.1:{self.port}/v1/stream"
        with connect(url, open_timeout=60, close_timeout=1) as socket:
            if start:
                socket.send(json.dumps({"type": "start", **start}))
            yield socket

    @contextmanager
    def live(self, history: int = 0) -> Iterator[ClientConnection]:
        """A reader of the server's microphone."""
        with connect(f"ws://127.0.0.1:{self.port}/v1/live?history={history}") as socket:
            yield socket

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> tuple[int, bytes]:
        """The status and body of a response."""
        request = urllib.request.Request(self.url + path, data=data, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with closing(error):
                return error.code, error.read()


def nothing() -> Any:
    raise AssertionError("this test opens no microphone")


@contextmanager
def served(
    model: Model,
    microphone: Microphone | None = None,
    *,
    rules: Rules | None = None,
    limits: Limits | None = None,
    listening: bool = False,
    port: int = 0,
) -> Iterator[Served]:
    """Run a server on a port, by default a free one, and stop it at the end."""
    opened = listening_socket("127.0.0.1", port)
    port, stop = opened.getsockname()[1], threading.Event()
    plan = Plan(
        model.network,
        microphone or Microphone(nothing),
        rules or Rules(),
        limits or Limits(),
        listening=listening,
    )
    server = Server(plan)
    thread = threading.Thread(target=run, args=(server, opened, stop.is_set))
    thread.start()
    try:
        yield Served(port, server, stop)
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def received(socket: ClientConnection, until: str = "end") -> list[Record]:
    """The records of a stream up to the first of a type, or until it is closed."""
    records = []
    for text in socket:
        records.append(json.loads(text))
        if records[-1]["type"] == until:
            break
    return records


def encoded(sound: Samples, encoding: str) -> bytes:
    """Samples as a client sends them."""
    if encoding == "f32le":
        return sound.astype("<f4").tobytes()
    return np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
