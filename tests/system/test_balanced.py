"""Several servers behind a proxy, with the configurations of ``examples/``."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import live_ser
from live_ser.server.service import Limits
from tests.support.served import Served, encoded, received, served

EXAMPLES = Path(__file__).parents[2] / "examples"
PROXIES = {
    "haproxy": ("haproxy.cfg", ["-f"]),
    "nginx": ("nginx.conf", ["-g", "daemon off; error_log stderr;", "-c"]),
}


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> live_ser.Model:
    return live_ser.load(tiny_model)


@pytest.fixture(scope="module")
def servers(model: live_ser.Model) -> Iterator[tuple[Served, Served]]:
    with served(model) as one, served(model) as two:
        yield one, two


@pytest.fixture(params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, servers: tuple[Served, Served], tmp_path: Path
) -> Iterator[int]:
    """The port of a proxy in front of the servers."""
    with balanced(request.param, servers, tmp_path) as port:
        yield port


@contextmanager
def balanced(kind: str, servers: tuple[Served, Served], folder: Path) -> Iterator[int]:
    """The port of a proxy of a kind in front of servers."""
    program = shutil.which(kind, path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip(f"{kind} is not installed")
    name, options = PROXIES[kind]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = (EXAMPLES / name).read_text("utf-8")
    ports = {8765: servers[0].port, 8766: servers[1].port, 8700: port}
    text = re.sub(r":(87\d\d)\b", lambda found: f":{ports[int(found[1])]}", text)
    text = text.replace("/tmp/live-ser-nginx.pid", str(folder / "pid"))
    path = folder / name
    path.write_text(text, "utf-8")
    with running([program, *options, str(path)], port):
        yield port


@contextmanager
def running(words: list[str], port: int) -> Iterator[None]:
    """A program that listens on a port."""
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while not listens(port):
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)
            yield
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def stream(port: int) -> Iterator[ClientConnection]:
    """A stream through a proxy, that has begun."""
    with connect(f"ws://127.0.0.1:{port}/v1/stream") as socket:
        socket.send(json.dumps({"type": "start", "encoding": "f32le", "rate": 16000}))
        assert json.loads(socket.recv(60))["type"] == "session"
        yield socket


def test_streams_are_spread_over_the_servers_and_get_their_records(
    proxy: int, servers: tuple[Served, Served], model: live_ser.Model, speech: Path
) -> None:
    sound, rate = soundfile.read(speech, dtype="float32")
    sound = np.asarray(soxr.resample(sound, rate, 16000), np.float32)
    expected = [prediction.label for prediction in model.timeline(sound, 16000)]
    with ExitStack() as stack:
        streams = [stack.enter_context(stream(proxy)) for _ in range(4)]
        assert [one.server.service.metrics.value("sessions") for one in servers] == [2, 2]
        for socket in streams:
            socket.send(encoded(sound, "f32le"))
            socket.send('{"type": "stop"}')
        for socket in streams:
            records = [record for record in received(socket) if record["type"] == "window"]
            assert [record["label"] for record in records] == expected


def test_who_gets_in_is_checked_behind_a_proxy_as_well(proxy: int) -> None:
    url = f"http://127.0.0.1:{proxy}/v1/info"
    with urllib.request.urlopen(url) as answer:
        assert json.load(answer)["labels"]
    hostile = {"Origin": "https://evil.example"}
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(urllib.request.Request(url, headers=hostile))
    with error.value as refused:
        assert refused.code == 403
    with (
        pytest.raises(InvalidStatus),
        connect(f"ws://127.0.0.1:{proxy}/v1/stream", additional_headers=hostile),
    ):
        pass


def test_haproxy_sends_new_streams_past_a_full_server(
    model: live_ser.Model, tmp_path: Path
) -> None:
    with (
        served(model, limits=Limits(sessions=1)) as full,
        served(model) as other,
        balanced("haproxy", (full, other), tmp_path) as port,
        ExitStack() as stack,
    ):
        stack.enter_context(full.stream(encoding="f32le", rate=16000)).recv(60)
        assert full.get("/readyz")[0] == 503
        assert full.get("/healthz")[0] == 200
        until = time.monotonic() + 60
        while server_of(port) | server_of(port) != {"two"}:  # it looks once a second
            assert time.monotonic() < until
        for _ in range(3):
            stack.enter_context(stream(port))
        sessions = [one.server.service.metrics.value("sessions") for one in (full, other)]
        assert sessions == [1, 3]


def server_of(port: int) -> set[str]:
    """Which server answered a request, as the cookie of HAProxy says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        return set(re.findall(r"voice=(\w+)", answer.headers["Set-Cookie"]))


def test_a_stream_that_nginx_brings_to_a_full_server_is_told_busy(
    model: live_ser.Model, tmp_path: Path
) -> None:
    limits = Limits(sessions=1)
    with (
        served(model, limits=limits) as one,
        served(model, limits=limits) as two,
        balanced("nginx", (one, two), tmp_path) as port,
    ):
        with stream(port), stream(port), connect(f"ws://127.0.0.1:{port}/v1/stream") as third:
            error = json.loads(third.recv(60))
            assert (error["code"], error["hint"]) == ("busy", "try again later")
            with pytest.raises(ConnectionClosed):
                third.recv(60)
            assert third.close_code == 1013
        until = time.monotonic() + 60
        while any(x.server.service.metrics.value("sessions") for x in (one, two)):
            assert time.monotonic() < until
        with stream(port), stream(port):  # it may come in again
            pass
