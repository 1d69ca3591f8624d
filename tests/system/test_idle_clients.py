"""Clients of ``live-ser serve`` that connect and then do nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import live_ser
from live_ser.server import http
from live_ser.server.service import Limits
from tests.support.command import LIVE_SER
from tests.support.served import Served, served

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = b"POST /v1/file HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"


@pytest.fixture(scope="module")
def model(against_model: Path) -> live_ser.Model:
    return live_ser.load(against_model)


@contextmanager
def connected(port: int, data: bytes = b"") -> Iterator[socket.socket]:
    """A connection over which so much was sent."""
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(data)
        yield client


def answer(client: socket.socket) -> bytes:
    """The first line of what comes back; empty if the connection is closed."""
    try:
        return client.recv(1 << 16).partition(b"\r\n")[0]
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("data", [b"", b"GET /healthz HTTP/1.1\r\nHost: local"])
def test_who_asks_for_nothing_is_let_go_of(
    model: live_ser.Model, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.2)
    with (
        served(model) as server,
        connected(server.port, data) as first,
        connected(server.port, HEALTH) as second,
    ):
        assert answer(first) == b""
        assert b" 200 " in answer(second)
        second.sendall(data or b"G")  # a second request that never ends
        assert answer(second) == b""


def test_a_stream_is_not_taken_for_somebody_who_asks_for_nothing(
    model: live_ser.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    with served(model) as server, server.stream(rate=16000) as stream:
        time.sleep(0.3)
        stream.send('{"type": "stop"}')
        assert '"session"' in str(stream.recv(60))
        assert '"end"' in str(stream.recv(60))


def test_a_recording_of_which_no_more_comes_is_given_up(model: live_ser.Model) -> None:
    with (
        served(model, limits=Limits(idle=0.2)) as server,
        connected(server.port, POST + b"RIFF") as client,
    ):
        assert b" 408 " in answer(client)


def test_a_recording_that_does_not_come_does_not_keep_the_server(
    model: live_ser.Model, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(model) as server, connected(server.port, POST + b"RIFF") as client:
        wait_for_a_file(server)
        server.stop.set()
        assert b" 503 " in answer(client)
    assert "Traceback" not in capfd.readouterr().err


def wait_for_a_file(server: Served) -> None:
    """Wait until a recording is being posted."""
    while not server.server.service.metrics.value("files_total"):
        time.sleep(0.01)


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
@pytest.mark.parametrize("limit", ["-n 40", "-Sn 40"])
def test_more_connections_than_there_can_be_are_one_line(tiny_model: Path, limit: str) -> None:
    serve = " ".join([*LIVE_SER, "serve", "--port", "0", "--model", str(tiny_model)])
    with subprocess.Popen(
        ["bash", "-c", f"ulimit {limit}; exec {serve}"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        port = int(process.stderr.readline().strip().rstrip("/").rpartition(":")[2])
        process.stderr.readline()
        with ExitStack() as stack:
            for _ in range(60):
                stack.enter_context(connected(port))
            if limit == "-n 40":
                assert "too many connections are open" in process.stderr.readline()
            else:  # which may be raised
                client = stack.enter_context(connected(port, HEALTH))
                assert b" 200 " in answer(client)
        with connected(port, HEALTH) as client:
            assert b" 200 " in answer(client)
        process.terminate()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0
