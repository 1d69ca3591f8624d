"""What a client of ``live-ser serve`` does with small messages costs the others nothing."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

import live_ser
from live_ser.server.service import Limits
from live_ser.server.stream_session import StreamSession
from tests.support.served import Served, received, served

MARK = b'{"type": "mark"}'


@pytest.fixture(scope="module")
def model(against_model: Path) -> live_ser.Model:
    return live_ser.load(against_model)


@pytest.fixture(scope="module")
def server(model: live_ser.Model) -> Iterator[Served]:
    with served(model) as running:
        yield running


def frame(data: bytes, opcode: int) -> bytes:
    """A short message as it goes over the wire, with a mask of zeros."""
    return bytes([0x80 | opcode, 0x80 | len(data), 0, 0, 0, 0]) + data


def sessions() -> list[StreamSession]:
    """The streams of which this process knows anything."""
    return [one for one in gc.get_objects() if type(one) is StreamSession]


@pytest.mark.real_time
def test_blocks_that_complete_no_hop_keep_a_stream_open(model: live_ser.Model) -> None:
    with (
        served(model, limits=Limits(idle=0.3)) as server,
        server.stream(rate=16000) as socket,
    ):
        began = time.monotonic()
        while time.monotonic() - began < 1:
            socket.send(bytes(2))
            time.sleep(0.02)
        socket.send('{"type": "stop"}')
        assert [record["type"] for record in received(socket)] == ["session", "window", "end"]


def test_a_stream_that_only_had_blocks_that_complete_no_hop_is_closed_when_idle(
    model: live_ser.Model,
) -> None:
    with (
        served(model, limits=Limits(idle=0.3)) as server,
        server.stream(rate=16000) as socket,
    ):
        socket.send(bytes(2))
        types = [record["type"] for record in received(socket)]
        assert types == ["session", "error", "window", "end"]


def test_who_sends_many_small_messages_is_read_no_faster_than_others_can_bear(
    server: Served,
) -> None:
    with server.stream(rate=16000) as flooding:
        assert json.loads(flooding.recv(60))["type"] == "session"
        flooding.socket.settimeout(0.1)
        began = time.monotonic()
        with suppress(TimeoutError):
            for _ in range(100):
                flooding.socket.sendall(frame(MARK, 1) * 2000)
        marks = 0
        with suppress(TimeoutError, ConnectionClosed):
            while time.monotonic() - began < 2:
                marks += json.loads(flooding.recv(10))["type"] == "mark"
        seconds = time.monotonic() - began
        # A tenth of a second's worth at once, then a twentieth of the time: 0.1 ms each, at least.
        assert 0 < marks < 1000 + 500 * seconds + 1000
        flooding.socket.close()
    with server.stream(rate=16000) as other:
        other.send('{"type": "stop"}')
        assert [record["type"] for record in received(other)] == ["session", "end"]


def test_who_goes_on_sending_too_many_is_closed(
    model: live_ser.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live_ser.server.websocket._PATIENCE", 0.5)
    with served(model) as server, server.stream(rate=16000) as flooding:
        flooding.socket.sendall(frame(b'{"type": "ping"}', 1) * 10_000)
        with suppress(ConnectionClosed):
            while True:
                flooding.recv(60)
        assert flooding.close_code == 1008


def test_small_messages_are_all_heard_in_their_order(server: Served) -> None:
    sound = np.random.default_rng(0).integers(-9999, 9999, 8000).astype("<i2").tobytes()
    with server.stream(rate=16000) as socket:
        wire = [frame(sound[at : at + 100], 2) for at in range(0, len(sound), 100)]
        wire[80:80] = [frame(MARK, 1)]
        socket.socket.sendall(b"".join(wire))
        socket.send('{"type": "stop"}')
        records = received(socket)
    moments = [(record["type"], record.get("time", record.get("end"))) for record in records[1:]]
    assert moments == [("mark", 0.25), ("window", 0.5), ("end", None)]


def test_what_was_known_of_a_stream_is_let_go_of_at_its_end(server: Served) -> None:
    gc.collect()
    gc.disable()
    others = sessions()
    try:
        for ending in ('{"type": "stop"}', "garbage"):
            with server.stream(rate=16000) as socket:
                socket.send(bytes(16000))
                socket.send(ending)
                received(socket)
        deadline = time.monotonic() + 60
        while (left := set(sessions()) - set(others)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not left
    finally:
        gc.enable()
