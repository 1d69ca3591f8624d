"""A sink that stands still holds up nobody, and every way of ending comes to an end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.live.background import Background
from live_ser.live.deadlines import stuck
from live_ser.live.fan_out import FanOut
from live_ser.live.sink import Event, Sink
from tests.support.command import LIVE_SER, records

PATIENCE = 60.0  # seconds that a busy machine may take
ONE = np.ones(1, np.float32)


class Slow(Sink):
    """Takes the first block at once, and the others when it is let."""

    name = "the slow one"

    def __init__(self) -> None:
        self.began, self.go_on, self.closed = (threading.Event() for _ in range(3))
        self.heard: list[float] = []
        self.synced: list[int] = []

    def block(self, samples: Samples) -> None:
        self.began.set()
        assert self.go_on.wait(PATIENCE)
        self.heard.append(float(samples[0]))

    def sync(self) -> None:
        self.synced.append(len(self.heard))

    def close(self, until: float = 0.0) -> None:
        self.closed.set()


@pytest.fixture
def slow() -> Iterator[Slow]:
    sink = Slow()
    yield sink
    sink.go_on.set()
    assert sink.closed.wait(PATIENCE)


def test_who_stands_still_is_given_up_when_its_queue_is_full_and_the_others_go_on(
    slow: Slow,
) -> None:
    sinks, other = FanOut(), Slow()
    other.go_on.set()
    sinks.attach(Background(slow, room=3))
    sinks.attach(Background(other))
    sinks.send(Sink.block, 0 * ONE)
    slow.began.wait(PATIENCE)
    for number in range(1, 9):
        sinks.send(Sink.block, number * ONE)
    (failure,) = sinks.failures
    assert "the slow one is given up: it stands still, and what came in the last 0." in failure
    sinks.close()
    assert other.heard == list(range(9))
    assert other.closed.is_set()


def test_the_last_one_that_stands_still_is_an_error(slow: Slow) -> None:
    sinks = FanOut()
    sinks.attach(Background(slow, room=1))
    sinks.send(Sink.block, ONE)
    slow.began.wait(PATIENCE)
    sinks.send(Sink.block, ONE)
    with pytest.raises(LiveSerError, match="the slow one is given up: it stands still"):
        sinks.send(Sink.block, ONE)


def test_ending_waits_for_none_that_stands_still_and_tells_of_it(slow: Slow) -> None:
    sinks = FanOut()
    slow.stores = True
    sinks.attach(Background(slow))
    sinks.send(Sink.block, ONE)
    sinks.send(Sink.end, {})
    sinks.close(until=time.monotonic() + 0.1)
    assert "the slow one is given up" in sinks.failures[0]
    assert not sinks.intact
    assert stuck()


def test_all_that_is_given_is_taken_in_its_order_synced_and_closed(slow: Slow) -> None:
    sinks = FanOut()
    sinks.attach(Background(slow))
    for number in range(500):
        sinks.send(Sink.block, number * ONE)
    sinks.send(Sink.end, {})
    slow.go_on.set()
    sinks.close(until=time.monotonic() + PATIENCE)
    assert slow.heard == list(range(500))
    assert slow.synced[-1] == 500
    assert (sinks.failures, sinks.intact) == ([], True)


def test_who_may_skip_misses_what_it_has_no_time_for(slow: Slow) -> None:
    slow.skips = True
    sinks = FanOut()
    sinks.attach(Background(slow, room=2))
    sinks.send(Sink.block, 0 * ONE)
    slow.began.wait(PATIENCE)
    for number in range(1, 9):
        sinks.send(Sink.block, number * ONE)
    slow.go_on.set()
    sinks.close(until=time.monotonic() + PATIENCE)
    assert slow.heard == [0, 1, 2]
    assert sinks.failures == []


def test_a_replay_at_full_speed_waits_until_there_is_room(slow: Slow) -> None:
    sink = Background(slow, room=2, patient=lambda: True)
    timer = threading.Timer(0.2, slow.go_on.set)
    timer.start()
    for number in range(100):
        sink.handle(Event(Sink.block, number * ONE))
    sink.close(until=time.monotonic() - 1)  # others took all the time there was
    timer.join()
    assert slow.heard == list(range(100))


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def words(tiny_model: Path, speech: Path, tmp_path: Path) -> list[str]:
    """A session that would take a while, and writes a lot."""
    words = ["listen", "--model", str(tiny_model), "--from", str(speech), "--hop", "0.05"]
    return [*LIVE_SER, *words, "--speed", "0.5", "--record", str(tmp_path / "kept.wav")]


def full_pipe() -> tuple[int, int]:
    """A pipe that takes nothing more."""
    fcntl = pytest.importorskip("fcntl")
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        pytest.skip("pipes have one size here")
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, bytes(size))
    return reading, writing


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_reader_that_stops_keeps_neither_the_recording_nor_the_end(
    words: list[str], tmp_path: Path, name: str
) -> None:
    reading, writing = full_pipe()
    with subprocess.Popen(
        words, stdout=writing, stderr=subprocess.PIPE, encoding="utf-8",
        preexec_fn=lambda: signal.signal(getattr(signal, name), signal.SIG_DFL),  # noqa: PLW1509
    ) as process:  # fmt: skip
        kept = tmp_path / "kept.wav"
        while not kept.exists() or kept.stat().st_size < 20_000:  # it is recorded
            assert process.poll() is None
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "standard output is given up: it stands still" in said
    os.close(writing)
    os.close(reading)


def test_standard_error_that_takes_nothing_costs_nothing_else(
    words: list[str], tmp_path: Path
) -> None:
    reading, writing = full_pipe()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=writing) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert records((b"".join(first) + out).decode())[-1]["type"] == "end"
    assert (tmp_path / "kept.wav").stat().st_size > 100
    os.close(writing)
    os.close(reading)


@pytest.mark.parametrize("place", ["/dev/full", "a closed pipe"])
def test_standard_error_that_fails_costs_what_goes_there_and_nothing_else(
    tiny_model: Path, speech: Path, tmp_path: Path, place: str
) -> None:
    if place.startswith("/") and not Path(place).exists():
        pytest.skip("this system has no device that is always full")
    out = tmp_path / "kept.jsonl"
    session = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0", "-o", out]
    reading, descriptor = os.pipe()
    os.close(reading)
    if place.startswith("/"):
        os.close(descriptor)
        descriptor = os.open(place, os.O_WRONLY)
    run = subprocess.run([*LIVE_SER, *map(str, session)], stderr=descriptor, check=False)
    os.close(descriptor)
    assert run.returncode == 0
    assert records(out.read_text("utf-8"))[-1]["type"] == "end"


def test_a_pipe_that_nobody_reads_and_a_terminal_that_stands_still_do_not_keep_it(
    words: list[str], tmp_path: Path
) -> None:
    pty = pytest.importorskip("pty")
    fifo = tmp_path / "fifo.jsonl"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    ours, theirs = pty.openpty()
    words = [*words, "-o", str(fifo), "--force"]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as it:
        kept = tmp_path / "kept.wav"
        while not kept.exists() or kept.stat().st_size < 50_000:
            assert it.poll() is None
        while select.select([], [theirs], [], 0)[1]:  # until nothing more can be drawn
            assert it.poll() is None
        it.send_signal(signal.SIGTERM)
        it.wait(PATIENCE)
    assert it.returncode in (0, 1)
    for descriptor in (reading, ours, theirs):
        os.close(descriptor)


def test_who_is_to_survive_the_terminal_does(tiny_model: Path, speech: Path) -> None:
    session = ["listen", "--model", str(tiny_model), "--from", str(speech), "--speed", "0.5"]
    with subprocess.Popen(
        [*LIVE_SER, *session], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # noqa: PLW1509
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        more = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=PATIENCE)
    kept = records(first + "".join(more) + rest)
    assert [record["type"] for record in kept[:5]] == ["session", *4 * ["window"]]
    assert kept[-1]["type"] == "end"
