"""What a session does with its sound while the user presses keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import Block, Gap
from live_ser.errors import LiveSerError
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.live.fan_out import FanOut
from live_ser.live.keys import pressed_keys
from live_ser.live.session import Session
from live_ser.live.sink import Event, Sink, Status
from live_ser.live.sinks import MessageSink
from live_ser.model.onnx_model import load
from live_ser.records.record import Record
from tests.support.source import BlockSource

RATE = 1000


class Source(BlockSource):
    """Blocks of 0.1 s, by default ten that count from 0."""

    def __init__(self, *blocks: Block) -> None:
        super().__init__(RATE, blocks or [np.full(100, i, np.float32) for i in range(10)])


class Diary(Sink):
    """Writes down what happens."""

    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []
        self.paused = False

    def block(self, samples: Samples) -> None:
        if len(samples):
            self.entries.append(("heard", float(samples[0]), len(samples)))

    def mark(self, time: float) -> None:
        self.entries.append(("mark", time))

    def gap(self, start: float, gap: Gap) -> None:
        self.entries.append(("gap", start, gap.seconds, gap.reason))

    def key(self, key: str) -> None:
        self.entries.append(("key", key))

    def status(self, status: Status) -> None:
        if status.paused != self.paused:
            self.paused = status.paused
            self.entries.append(("paused", status.paused))


def run(session: Session, keys: dict[int, str]) -> tuple[list[Block], list[tuple[Any, ...]]]:
    """Iterate, pressing keys after the block of that number."""
    diary = Diary()
    session.sinks.attach(diary)
    asked = iter(range(1000))
    session.key = lambda: keys.get(next(asked), "")
    return list(session), diary.entries


def test_every_block_is_heard_by_the_sinks_and_the_monitor() -> None:
    blocks, entries = run(Session(Source(), RATE), {})
    assert len(blocks) == len(entries) == 10


def test_q_ends_it() -> None:
    session = Session(Source(), RATE)
    blocks, _ = run(session, {3: "q"})
    assert len(blocks) == 4
    assert session.seconds == pytest.approx(0.4)


def test_m_marks_the_moment() -> None:
    _, entries = run(Session(Source(), RATE), {1: "m"})
    assert entries[2] == ("mark", 0.2)


def test_space_pauses_and_what_was_missed_is_a_gap() -> None:
    session = Session(Source(), RATE)
    blocks, entries = run(session, {1: " ", 4: " "})
    assert entries[:3] == [("heard", 0.0, 100), ("heard", 1.0, 100), ("paused", True)]
    assert entries[3] == ("paused", False)
    assert entries[4] == ("gap", 0.2, pytest.approx(0.3), "paused")
    assert entries[5] == ("heard", 5.0, 100)
    assert isinstance(blocks[2], Gap)
    assert session.seconds == pytest.approx(1.0)


def test_a_mark_in_a_pause_is_at_its_own_time() -> None:
    _, entries = run(Session(Source(), RATE), {1: " ", 3: "m", 5: " "})
    assert ("mark", 0.4) in entries


def test_a_pause_that_is_not_ended_is_a_gap_as_well() -> None:
    session = Session(Source(), RATE)
    _, entries = run(session, {7: " "})
    assert entries[-1] == ("gap", 0.8, pytest.approx(0.2), "paused")
    assert session.seconds == pytest.approx(1.0)


def test_a_mark_is_where_the_sound_is_that_is_heard_now_though_it_comes_late() -> None:
    source = Source()
    source.behind = 2.5
    _, entries = run(Session(source, RATE), {1: "m"})
    assert ("mark", pytest.approx(2.7)) in entries


def test_other_keys_are_the_sinks_business() -> None:
    _, entries = run(Session(Source(), RATE), {0: "?", 1: "s"})
    assert ("key", "?") in entries
    assert ("key", "s") in entries


def test_duration_is_exact_and_counts_gaps_and_pauses() -> None:
    session = Session(Source(), RATE, duration=0.25)
    blocks, _ = run(session, {})
    assert [len(b) for b in blocks if not isinstance(b, Gap)] == [100, 100, 50]
    paused = Session(Source(), RATE, duration=0.5)
    blocks, _ = run(paused, {1: " "})
    assert len(blocks) == 2
    hole = Session(
        Source(np.zeros(100, np.float32), Gap(5, "gone"), np.zeros(100, np.float32)),
        RATE,
        duration=3,
    )
    assert len(run(hole, {})[0]) == 2


def test_a_source_that_falls_silent_does_not_outlast_the_duration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter(np.arange(0, 1000, 0.1))
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    nothing = np.zeros(0, np.float32)
    session = Session(Source(np.zeros(100, np.float32), *[nothing] * 500), RATE, duration=10)
    blocks, _ = run(session, {})
    assert len(blocks) < 130


class Broken(Diary):
    name = "the broken one"

    def block(self, samples: Samples) -> None:
        raise OSError(28, "No space left on device")


class Warnings(Diary):
    def warn(self, line: str) -> None:
        self.entries.append(("warning", line))


def test_a_sink_that_fails_is_said_once_and_the_others_go_on() -> None:
    sinks, warnings = FanOut(), Warnings()
    sinks.attach(Broken())
    sinks.attach(warnings)
    for _ in range(3):
        sinks.send(Sink.block, np.ones(5, np.float32))
    said = "the broken one is given up: No space left on device"
    assert sinks.failures == [said]
    assert [e[0] for e in warnings.entries] == ["warning", "heard", "heard", "heard"]


def test_without_a_dashboard_a_lost_microphone_is_told_once_and_its_return_too() -> None:
    told = list[str]()
    sink = MessageSink(told.append)
    for message in ("", "gone; trying", "gone; trying", "", ""):
        sink.status(Status(source="test", native_rate=RATE, message=message))
    assert told == ["gone; trying", "listening to test again"]


def test_the_last_sink_that_fails_is_an_error() -> None:
    sinks = FanOut()
    sinks.attach(Broken())
    with pytest.raises(OSError, match="No space left"):
        sinks.send(Sink.block, np.ones(5, np.float32))


def test_a_sink_is_told_what_it_wants_and_may_want_all_alike() -> None:
    class All(Sink):
        def __init__(self) -> None:
            self.events: list[str] = []

        def wants(self, event: Event) -> bool:
            return True

        def handle(self, event: Event) -> None:
            self.events.append(repr(event))

    sinks, relay = FanOut(), All()
    sinks.attach(Sink())
    sinks.attach(relay)
    sinks.send(Sink.begin, {})
    sinks.send(Sink.mark, 2.5)
    sinks.send(Sink.end, {})
    assert relay.events == ["Event(Sink.begin, {})", "Event(Sink.mark, 2.5)", "Event(Sink.end, {})"]
    assert not Sink().wants(Event(Sink.mark, 2.5))
    assert Diary().wants(Event(Sink.mark, 2.5))


def test_what_the_user_should_know_is_told_once_and_trouble_as_long_as_it_lasts() -> None:
    class Notes(Sink):
        def __init__(self) -> None:
            self.notes: list[str] = []
            self.messages: list[str] = []

        def note(self, line: str) -> None:
            self.notes.append(line)

        def status(self, status: Status) -> None:
            self.messages.append(status.message)

    source, notes = Source(), Notes()
    source.notes, source.message = ("one channel is heard",), "microphone gone"
    session = Session(source, RATE)
    session.sinks.attach(notes)
    list(session)
    assert notes.notes == ["one channel is heard"]
    assert notes.messages == ["microphone gone"] * 10


class Everything(Diary):
    def begin(self, session: Record) -> None:
        self.entries.append(("begin", session["source"], session["track"]))

    def window(self, prediction: Prediction) -> None:
        self.entries.append(("window", prediction.end))

    def end(self, summary: Record) -> None:
        self.entries.append(("end", summary["windows"], summary["seconds"]))


def test_a_run_tells_of_begin_sound_gaps_windows_and_end_in_their_order(tiny_model: Path) -> None:
    model, told = load(tiny_model), Everything()
    rate = model.info.features.sample_rate
    second = np.full(rate, 0.5, np.float32)
    with Session(Source(second, Gap(2.0, "gone"), second), rate) as session:
        session.sinks.attach(told)
        session.run(Monitor(model, session, hop=1.0), track=2)
    assert told.entries == [
        ("begin", "test", 2),
        ("heard", 0.5, rate),
        ("window", 1.0),
        ("gap", 1.0, 2.0, "gone"),
        ("heard", 0.5, rate),
        ("window", 4.0),
        ("end", 2, 4.0),
    ]


def test_a_source_that_fails_ends_the_session_with_its_record(tiny_model: Path) -> None:
    class Failing(Source):
        def __iter__(self) -> Iterator[Block]:
            yield np.zeros(100, np.float32)
            raise LiveSerError("microphone gone")

    model, told = load(tiny_model), Everything()
    with Session(Failing(), RATE) as session:
        session.sinks.attach(told)
        with pytest.raises(LiveSerError, match="microphone gone"):
            session.run(Monitor(model, session), track=1)
    assert told.entries[-1] == ("end", 0, 0.1)


_READS_KEYS = """
import termios
from live_ser.live.keys import pressed_keys
before = termios.tcgetattr(0)
typed = []
with pressed_keys() as key:
    print("ready", flush=True)
    while "q" not in typed:
        if pressed := key():
            typed.append(pressed)
            print("taken", flush=True)
print(typed, termios.tcgetattr(0) == before, "end", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_keys_are_read_one_by_one_and_the_terminal_is_given_back() -> None:
    import pty

    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-c", _READS_KEYS])
    said = b""
    for key, answers in ((b" ", 0), (b"m", 1), (b"?", 2), (b"q", 3)):
        while said.count(b"ready") + said.count(b"taken") < answers + 1:
            said += os.read(terminal, 100)
        os.write(terminal, key)
    while b"end" not in said:
        said += os.read(terminal, 100)
    os.waitpid(process, 0)
    os.close(terminal)
    assert b"[' ', 'm', '?', 'q'] True end" in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_that_does_not_control_the_process_has_keys_too() -> None:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _READS_KEYS], stdin=theirs, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.write(ours, b"q")
        assert b"['q'] True end" in process.stdout.read()
    os.close(ours)
    os.close(theirs)


def test_without_a_terminal_no_key_is_ever_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pressed_keys() as key:
            assert key() == ""
