"""Faults of a microphone, a disk, a terminal: the right thing is shown, counted, kept, and it ends.

Each fault alone, then pairs by chance, through a whole session with records, a recording and a
dashboard.
"""

from __future__ import annotations

import io
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, ClassVar

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from rich.console import Console

from live_ser.audio import microphone as microphone_module
from live_ser.audio.blocks import Gap, Samples, Source
from live_ser.audio.devices import BLOCK_SECONDS, InputStream
from live_ser.audio.sources import microphone
from live_ser.dashboard.dashboard import Dashboard
from live_ser.inference.monitor import Monitor
from live_ser.live.recorder import Recording
from live_ser.live.session import Session
from live_ser.live.sink import Sink
from live_ser.live.sinks import RecordSink
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.jsonl import JsonLines
from live_ser.records.record import Record
from live_ser.records.schema import check_record
from tests.support.command import LIVE_SER, records
from tests.support.scripted_microphone import (
    Missing,
    Overflow,
    Script,
    ScriptedMicrophone,
    Step,
    Wait,
    in_blocks,
)

pytestmark = pytest.mark.real_time  # a device that brings nothing for a second is given up

RATE = 16000
HOP = 0.5
STALL = 1.0  # a thread may have to wait for its turn for a while
TINY = 800  # samples that come one by one
PATIENCE = 60.0  # seconds that a session of two may take on the slowest machine


class Disk(io.StringIO):
    """A file on a disk that may be slow, or not take what it is given.

    Attributes:
        slow: whether it takes its time.
        failure: of the next write, and of those after it.
        failed: whether a write has failed.
    """

    slow = False
    failure: OSError | None = None
    failed = False

    def write(self, text: str) -> int:
        if self.slow:
            time.sleep(0.02)
        if self.failure is not None and self.getvalue():  # the first line finds its place
            self.failed = True
            raise self.failure
        return super().write(text)


FULL = OSError(28, "No space left on device")
CLOSED = BrokenPipeError(32, "Broken pipe")


@dataclass
class Scene:
    """A session in which something is going to go wrong.

    Attributes:
        rate: that the device opens at.
        scripts: what each device does until it is gone, one after the other; None refuses to open.
        file: that the records go into.
        width: of the terminal, asked at each drawing.
        jump: seconds of which nothing comes, although the device stays.
        overflows: how often the device says that it lost sound.
        gaps: reasons of the gaps that there have to be, in any order.
    """

    rate: int
    scripts: list[list[Step] | None]
    file: Disk = field(default_factory=Disk)
    width: Callable[[], int] = lambda: 80
    jump: float = 0.0
    overflows: int = 0
    gaps: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        """Of the last device."""
        assert self.scripts[-1] is not None
        return self.scripts[-1]

    def middle(self) -> int:
        """Where a fault may happen: not before the device has begun."""
        return max(1, len(self.steps) // 2)


def overflow(scene: Scene) -> None:
    # Not in the very middle: of a device that goes away just then, the next block would not tell.
    for place in (1, scene.middle() // 2 + 1):
        scene.steps.insert(place, Overflow())
        scene.overflows += 1


def short_pause(scene: Scene) -> None:
    scene.steps.insert(scene.middle(), Wait(STALL / 4))


def device_loss(scene: Scene) -> None:
    """It goes away in the middle; then it is refused twice, then there again."""
    middle = scene.middle()
    rest = scene.steps[middle:]
    del scene.steps[middle:]
    scene.scripts += [None, None, rest]
    scene.gaps.append("microphone gone")


def stall(scene: Scene) -> None:
    """It calls back no more for a while; by then it was opened anew."""
    middle = scene.middle()
    rest = scene.steps[middle:]
    scene.steps[middle:] = [Wait(3 * STALL)]
    scene.scripts.append(rest)
    scene.gaps.append("microphone gone")


def not_a_number(scene: Scene) -> None:
    for step in scene.steps:
        if isinstance(step, np.ndarray) and len(step) > 3:
            step[[0, 1, 2]] = [[np.nan], [np.inf], [-np.inf]]


def tiny_blocks(scene: Scene) -> None:
    """One sample each, for a while."""
    place = next(i for i, step in enumerate(scene.steps) if isinstance(step, np.ndarray))
    block = scene.steps[place]
    assert isinstance(block, np.ndarray)
    first, rest = block[:TINY], block[TINY:]
    scene.steps[place : place + 1] = [*np.split(first, len(first)), *[rest] * (len(rest) > 0)]


def huge_blocks(scene: Scene) -> None:
    """100 000 samples at once, and more."""
    sound = [step for step in scene.steps if isinstance(step, np.ndarray)]
    others = [step for step in scene.steps if not isinstance(step, np.ndarray)]
    whole = np.concatenate(sound)
    whole = np.concatenate([whole] * (1 + 100_000 // len(whole)))
    blocks: list[Step] = list(in_blocks(whole[: scene.rate], scene.rate))
    between = itertools.chain.from_iterable(zip(others, blocks, strict=False))
    scene.steps[:] = [whole, *between, *blocks[len(others) :]]


def another_rate(scene: Scene) -> None:
    """The device has no 16 kHz; what it plays is then another sound, of another length."""
    scene.rate = 44_100


def clock_jump(scene: Scene) -> None:
    """The machine slept for ten minutes."""
    scene.jump = 600.0
    scene.steps.insert(scene.middle(), Missing(scene.jump))
    scene.gaps.append("nothing came")


def slow_disk(scene: Scene) -> None:
    scene.file.slow = True


def full_disk(scene: Scene) -> None:
    scene.file.failure = FULL


def closed_pipe(scene: Scene) -> None:
    scene.file.failure = CLOSED


def resize_storm(scene: Scene) -> None:
    widths = random.Random(0)
    scene.width = lambda: widths.randrange(1, 300)


Fault = Callable[[Scene], None]
FAULTS: tuple[Fault, ...] = (
    overflow, short_pause, device_loss, stall, not_a_number, tiny_blocks, huge_blocks, another_rate,
    clock_jump, slow_disk, full_disk, closed_pipe, resize_storm,
)  # fmt: skip


class Diary(Sink):
    """What the session said."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.gaps: list[Gap] = []
        self.samples = 0
        self.warnings: list[str] = []

    def warn(self, line: str) -> None:
        self.warnings.append(line)

    def block(self, samples: Samples) -> None:
        assert np.isfinite(samples).all()
        self.samples += len(samples)

    def window(self, prediction: Any) -> None:
        self.ends.append(prediction.end)

    def gap(self, start: float, gap: Gap) -> None:
        self.gaps.append(gap)


class Resized(Sink):
    """Gives the terminal another width at every window."""

    keeps_going = False

    def __init__(self, console: Console, width: Callable[[], int]) -> None:
        self._console, self._width = console, width

    def window(self, prediction: Any) -> None:
        self._console.size = (self._width(), 24)


@contextmanager
def impatient() -> Iterator[None]:
    """Microphones that are given up soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(microphone_module, "STALL_SECONDS", STALL)
        patch.setattr(microphone_module, "START_SECONDS", 2 * STALL)
        patch.setattr(microphone_module, "RETRY_SECONDS", (0.01, 0.02))
        yield


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> EmotionModel:
    return EmotionModel(tiny_model)


@pytest.fixture(scope="module")
def sound(speech: Path) -> Samples:
    samples, rate = soundfile.read(speech, dtype="float32")
    return np.asarray(samples[: 3 * rate : rate // RATE], np.float32)


@dataclass
class Show:
    """A session with all that hangs on it, and what has to be true of it when it is over."""

    model: EmotionModel
    mic: Source
    session: Session
    monitor: Monitor
    dashboard: Dashboard
    console: Console
    diary: Diary
    file: Disk
    recorded: Path

    def run(self, width: Callable[[], int]) -> None:
        """From the first record to the last one, in a terminal whose width may change."""
        self.session.sinks.attach(Resized(self.console, width))
        self.session.run(self.monitor)

    def check(self, *, overflows: int, gaps: list[str], jump: float) -> None:
        """Whether everything is as promised; the arguments are as in a :class:`Scene`."""
        mic, monitor, diary, state = self.mic, self.monitor, self.diary, self.dashboard.state
        failures, disk_fails = self.session.sinks.failures, self.file.failed
        # The right state is shown.
        assert state.connected
        assert state.overflows == mic.overflows
        assert state.skipped <= monitor.skipped  # the last ones may have come too late to be drawn
        assert bool(failures) is disk_fails
        assert diary.warnings == failures
        if len(diary.ends) > 1:  # else the disk failed when there was nothing more to draw
            assert state.message == "".join(failures)
        # The counts are right.
        said = [gap.reason for gap in diary.gaps]
        assert mic.overflows == overflows + said.count("overflow")
        if "microphone gone" in gaps and "nothing came" not in said:
            # What is missing just before the device is opened again is one gap with it.
            gaps = [reason for reason in gaps if reason != "nothing came"]
        for reason in gaps:
            assert said.count(reason) >= 1
            said.remove(reason)
        assert self.session.seconds > jump - 1
        assert self.session.seconds == pytest.approx(
            diary.samples / RATE + sum(gap.seconds for gap in diary.gaps), abs=0.01
        )
        assert len(diary.ends) == monitor.windows
        assert all(one < other for one, other in itertools.pairwise(diary.ends))
        # The records are valid, as far as they could be written.
        kept = records(self.file.getvalue())
        for record in kept:
            check_record(record)
        windows = [record for record in kept if record["type"] == "window"]
        assert [record["end"] for record in windows] == pytest.approx(
            diary.ends[: len(windows)], abs=1e-3
        )
        _no_window_holds_a_gap(kept)
        if not disk_fails:
            assert len(windows) == monitor.windows
            assert kept[-1]["type"] == "end"
            assert kept[-1]["overflows"] == mic.overflows
        # The recording is as long as the session.
        info = soundfile.info(self.recorded)
        assert info.frames / RATE == pytest.approx(self.session.seconds, abs=0.01)


@contextmanager
def show(
    model: EmotionModel,
    opener: Callable[..., InputStream],
    ending: Callable[[Source], bool],
    file: Disk,
    folder: Path,
) -> Iterator[Show]:
    """A session that is ready to run."""
    recorded = folder / f"{time.monotonic_ns()}.wav"
    diary = Diary()
    with ExitStack() as stack:
        mic = stack.enter_context(microphone("headset", RATE, opener=opener))
        session = Session(mic, RATE, ending=lambda: ending(mic))
        monitor = Monitor(model, session, hop=HOP)
        console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
        recording = stack.enter_context(Recording(recorded, RATE))
        shown = Dashboard(console, model.info, mic.name, mic.native_rate, recording=recording)
        dashboard = stack.enter_context(shown)
        session.sinks.attach(RecordSink(JsonLines(file), "the records"))
        for sink in (recording, dashboard, diary):
            session.sinks.attach(sink)
        yield Show(model, mic, session, monitor, dashboard, console, diary, file, recorded)


def play(model: EmotionModel, sound: Samples, folder: Path, *faults: Fault) -> None:
    """A session with these faults, and all that has to be true of it."""
    scene = Scene(RATE, [list(in_blocks(sound.copy(), RATE))])
    for fault in faults:
        fault(scene)
    scripted = ScriptedMicrophone(scene.rate, *scene.scripts, pace=0.002)
    started = time.monotonic()

    def told_to_end(mic: Source) -> bool:
        """When every script was played and nothing more waits."""
        taken = mic.name == scripted.streams[-1].name
        over = taken and not scripted.scripts and scripted.all_played() and not mic.backlog
        return over or time.monotonic() > started + PATIENCE

    with (
        impatient(),
        show(model, scripted, told_to_end, scene.file, folder) as on_stage,
    ):
        on_stage.run(scene.width)
    assert time.monotonic() < started + PATIENCE, "it did not end when it was told to"
    assert all(stream.closed.is_set() for stream in scripted.streams)
    assert scene.file.failed is (scene.file.failure is not None)
    on_stage.check(overflows=scene.overflows, gaps=scene.gaps, jump=scene.jump)


def _no_window_holds_a_gap(kept: list[Record]) -> None:
    gaps = [record for record in kept if record["type"] == "gap"]
    for window in (record for record in kept if record["type"] == "window"):
        for gap in gaps:
            assert window["end"] <= gap["start"] + 0.01 or window["start"] >= gap["end"] - 0.01


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault(model: EmotionModel, sound: Samples, tmp_path: Path, fault: Fault) -> None:
    play(model, sound, tmp_path, fault)


@pytest.mark.slow
@given(st.lists(st.sampled_from(FAULTS), min_size=2, max_size=2, unique=True))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_two_faults(
    model: EmotionModel, sound: Samples, tmp_path: Path, faults: list[Fault]
) -> None:
    play(model, sound, tmp_path, *faults)


class Orders:
    """A device that does what it is told, and else brings silence; whoever opens it has it.

    Attributes:
        refused: how often it will not open before it does again.
        mute: whether it does not call back.
        told: what is to be brought next.
        brought: how much of that it has brought.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.mute = False
        self.told: SimpleQueue[tuple[Samples, bool]] = SimpleQueue()
        self.brought = 0
        self._opened = 0  # how often; the device opened last does what it is told

    def scripts(self) -> Iterator[Script | None]:
        """What each attempt to open it gets."""
        while True:
            if self.refused:
                self.refused -= 1
                yield None
            else:
                self.mute = False
                self._opened += 1
                yield self._script(self._opened)

    def _script(self, number: int) -> Script:
        while number == self._opened:
            try:
                block, overflow = self.told.get(timeout=BLOCK_SECONDS)
                if number != self._opened:  # another one was opened meanwhile
                    self.told.put((block, overflow))
                    return
            except Empty:
                yield _nothing if self.mute else SILENCE
            else:
                if overflow:
                    yield Overflow()
                yield block[:, np.newaxis]
                self.brought += 1


def _nothing() -> None:
    """No callback comes, and the device captures nothing either."""


SILENCE = np.zeros((round(RATE * BLOCK_SECONDS), 1), np.float32)


class Misfortunes(RuleBasedStateMachine):
    """A session to which one thing happens after another, as chance will have it."""

    model: ClassVar[EmotionModel]
    sound: ClassVar[Samples]

    def __init__(self) -> None:
        super().__init__()
        self.orders, self.file = Orders(), Disk()
        self.device = ScriptedMicrophone(RATE, more=self.orders.scripts())
        self.width, self.overflows, self.jump = 80, 0, 0.0
        self.gaps: list[str] = []
        self.over = threading.Event()
        self.stack = ExitStack()
        self.stack.enter_context(impatient())
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        self.show = self.stack.enter_context(
            show(self.model, self.device, lambda mic: self.over.is_set(), self.file, folder)
        )
        self.listener = threading.Thread(target=self.show.run, args=(lambda: self.width,))
        self.listener.start()
        self.bring(self.sound[:RATE])

    def bring(self, block: Samples, *, overflow: bool = False) -> None:
        """Have the device bring a block, and wait until it was heard."""
        brought = self.orders.brought
        self.orders.told.put((block, overflow))
        self.wait(lambda: self.orders.brought > brought and self.show.mic.backlog < BLOCK_SECONDS)

    def wait(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert self.listener.is_alive(), "it ended, though it was not told to"
            assert time.monotonic() < deadline, "it hangs"
            time.sleep(0.005)

    def is_shown(self) -> bool:
        state = self.show.dashboard.state
        return state.connected and state.skipped == self.show.monitor.skipped

    @rule(seconds=st.sampled_from((0.05, 1.0, 2.5)))
    def somebody_speaks(self, seconds: float) -> None:
        self.bring(self.sound[: round(seconds * RATE)])

    @rule()
    def sound_is_lost(self) -> None:
        self.overflows += 1
        self.bring(self.sound[:800], overflow=True)

    @rule(what=st.sampled_from((np.nan, np.inf, -np.inf)))
    def the_driver_brings_no_numbers(self, what: float) -> None:
        self.bring(np.full(800, what, np.float32))

    @rule(size=st.sampled_from((1, 7, 100_000)))
    def a_block_is_of_another_size(self, size: int) -> None:
        self.bring(np.resize(self.sound, size))

    @rule(refused=st.integers(0, 3), rate=st.sampled_from((RATE, 8000, 44_100)))
    def the_device_goes_away(self, refused: int, rate: int) -> None:
        opened = len(self.device.streams)
        self.orders.refused, self.device.rate, self.orders.mute = refused, rate, True
        self.wait(lambda: len(self.device.streams) > opened)
        self.gaps.append("microphone gone")
        self.bring(self.sound[:RATE])
        self.wait(self.is_shown)

    @rule()
    def the_machine_sleeps(self) -> None:
        self.jump += 600.0
        self.device.time.skip(600.0)
        self.bring(self.sound[:RATE])

    @rule(slow=st.booleans(), failure=st.sampled_from((None, FULL, CLOSED)))
    def the_disk_changes(self, slow: bool, failure: OSError | None) -> None:
        self.file.slow, self.file.failure = slow, failure
        self.bring(self.sound[:RATE])

    @rule(width=st.integers(1, 300))
    def the_window_changes(self, width: int) -> None:
        self.width = width
        self.bring(self.sound[: RATE // 2])

    def teardown(self) -> None:
        self.wait(self.is_shown)
        self.over.set()
        self.listener.join(PATIENCE)
        assert not self.listener.is_alive(), "it did not end when it was told to"
        self.stack.close()
        assert all(stream.closed.is_set() for stream in self.device.streams)
        self.show.check(overflows=self.overflows, gaps=self.gaps, jump=self.jump)
        self.folder.cleanup()


@pytest.fixture
def misfortunes(model: EmotionModel, sound: Samples) -> None:
    Misfortunes.model, Misfortunes.sound = model, sound


@pytest.mark.slow
@pytest.mark.usefixtures("misfortunes")
class TestMisfortunes(Misfortunes.TestCase):  # type: ignore[misc,valid-type]
    settings = settings(
        max_examples=10,
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount")
def test_a_disk_that_fills_up_costs_what_is_on_it_and_nothing_else(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        words = ["listen", "--model", str(tiny_model), "--from", str(speech), "--speed", "0"]
        command = [*LIVE_SER, *words, "--format", "jsonl", "--record", str(disk / "kept.wav")]
        run = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert run.returncode == 1
        assert "is given up: No space left on device" in run.stderr
        assert "Traceback" not in run.stderr
        assert records(run.stdout)[-1]["type"] == "end"
        kept = soundfile.info(disk / "kept.wav")
        assert kept.duration > 0.5
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("command", ["listen", "file"])
@pytest.mark.parametrize("moments", [2, pytest.param(9, marks=pytest.mark.slow)])
def test_a_signal_in_any_phase_ends_it_without_a_traceback(
    tiny_model: Path, speech: Path, name: str, command: str, moments: int
) -> None:
    words = {"listen": ["--from", str(speech)], "file": [str(speech)] * 500}[command]
    # Python itself, before it comes to us, is not ours to tame.
    program = [sys.executable, "-c", _ANNOUNCED, command, "--model", str(tiny_model), *words]
    number = getattr(signal, name)
    for delay in np.linspace(0, 1.5, moments + 1)[1:]:
        with subprocess.Popen(
            program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            # A test run in the background, or under nohup, hands down what it ignores.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            time.sleep(delay)
            process.send_signal(number)
            out, said = process.communicate(timeout=PATIENCE)
        assert process.returncode in (0, 1, -number)
        assert "Traceback" not in said
        assert "Error" not in said
        if command == "listen" and (kept := records(out)):
            assert process.returncode == 0
            assert kept[-1]["type"] == "end"


_ANNOUNCED = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
print("begun", flush=True)
import runpy
sys.argv[0] = "live-ser"
runpy.run_module("live_ser", run_name="__main__")
"""


def test_a_device_that_is_gone_for_good_does_not_keep_it_from_ending(
    model: EmotionModel, sound: Samples
) -> None:
    scripted = ScriptedMicrophone(RATE, in_blocks(sound, RATE))
    with impatient(), microphone(None, RATE, opener=scripted) as mic:
        session = Session(mic, RATE, ending=lambda: bool(mic.message))
        list(Monitor(model, session, hop=HOP))
        assert "trying to have it back" in mic.message
