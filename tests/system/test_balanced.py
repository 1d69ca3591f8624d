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
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

import live_ser
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
    program = shutil.which(request.param, path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    name, options = PROXIES[request.param]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = (EXAMPLES / name).read_text("utf-8")
    ports = {8765: servers[0].port, 8766: servers[1].port, 8700: port}
    text = re.sub(r":(87\d\d)\b", lambda found: f":{ports[int(found[1])]}", text)
    text = text.replace("/tmp/live-ser-nginx.pid", str(tmp_path / "pid"))
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with running([program, *options, str(path)], port):
        yield port


@contextmanager
def running(words: list[str], port: int) -> Iterator[None]:
    """A program that listens on a port."""
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 20
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
        assert json.loads(socket.recv(20))["type"] == "session"
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
