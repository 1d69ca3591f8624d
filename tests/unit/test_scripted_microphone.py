"""A microphone that stalls, overflows, falls behind or goes away surprises nobody."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from live_ser.audio import microphone as microphone_module
from live_ser.audio.blocks import Samples
from live_ser.audio.microphone import QUEUE_SECONDS
from live_ser.audio.sources import Block, Gap, microphone
from live_ser.errors import DeviceError, LiveSerError
from live_ser.inference.monitor import Monitor
from live_ser.model.onnx_model import EmotionModel
from tests.support.scripted_microphone import (
    Late,
    Missing,
    Overflow,
    ScriptedMicrophone,
    Step,
    Wait,
    in_blocks,
)

RATE = 16000


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone_module, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(microphone_module, "START_SECONDS", 0.6)
    monkeypatch.setattr(microphone_module, "RETRY_SECONDS", (0.01, 0.02))


def ramp(seconds: float) -> Samples:
    """Sound of which every sample tells its place."""
    return np.arange(round(seconds * RATE), dtype=np.float32) / np.float32(2**24)


def take(blocks: Iterator[Block], samples: int) -> list[Block]:
    """Blocks, empty ones left out, until there are so many samples in them."""
    taken: list[Block] = []
    while samples > 0:
        block = next(blocks)
        if isinstance(block, Gap):
            taken.append(block)
        elif len(block):
            taken.append(block)
            samples -= len(block)
    return taken


def sound_in(blocks: list[Block]) -> Samples:
    return np.concatenate([block for block in blocks if not isinstance(block, Gap)])


def gaps_in(blocks: list[Block]) -> list[tuple[int, Gap]]:
    """Each gap, after the number of samples before it."""
    heard, gaps = 0, []
    for block in blocks:
        if isinstance(block, Gap):
            gaps.append((heard, block))
        else:
            heard += len(block)
    return gaps


def test_everything_arrives_in_order_and_once() -> None:
    with microphone(None, RATE, opener=ScriptedMicrophone(RATE, in_blocks(ramp(3), RATE))) as mic:
        np.testing.assert_array_equal(sound_in(take(iter(mic), 3 * RATE)), ramp(3))
        assert mic.overflows == 0


def test_channels_are_averaged_or_chosen() -> None:
    stereo = np.stack([ramp(1), -3 * ramp(1)], axis=1)
    for channel, expected in ((None, -ramp(1)), (1, ramp(1)), (2, -3 * ramp(1))):
        scripted = ScriptedMicrophone(RATE, in_blocks(stereo, RATE))
        with microphone(None, RATE, channels=2, channel=channel, opener=scripted) as mic:
            heard = sound_in(take(iter(mic), RATE))
        np.testing.assert_allclose(heard, expected, atol=1e-6)


def test_a_channel_that_is_not_recorded_is_refused() -> None:
    scripted = ScriptedMicrophone(RATE, [])
    with (
        pytest.raises(LiveSerError),
        microphone(None, RATE, channels=2, channel=3, opener=scripted),
    ):
        pass
    assert not scripted.asked


def test_overflows_are_counted() -> None:
    blocks = in_blocks(ramp(1), RATE)
    script: list[Step] = [*blocks[:5], Overflow(), *blocks[5:10], Overflow(), *blocks[10:]]
    with microphone(None, RATE, opener=ScriptedMicrophone(RATE, script)) as mic:
        take(iter(mic), RATE)
        assert mic.overflows == 2


def test_sound_that_waits_too_long_gives_way_to_the_newest_and_the_hole_is_told() -> None:
    scripted = ScriptedMicrophone(RATE, in_blocks(ramp(QUEUE_SECONDS + 5), RATE))
    with microphone(None, RATE, opener=scripted) as mic:
        assert scripted.played.wait(60)  # nobody takes anything meanwhile
        assert mic.backlog == pytest.approx(QUEUE_SECONDS + 5)
        gap, *blocks = take(iter(mic), round(QUEUE_SECONDS * RATE))
        assert gap == Gap(5.0, "overflow")
        np.testing.assert_array_equal(sound_in(blocks), ramp(QUEUE_SECONDS + 5)[5 * RATE :])
        assert mic.overflows == 1
        assert mic.backlog == 0


def test_a_machine_that_falls_behind_classifies_the_newest_window(tiny_model: Path) -> None:
    scripted = ScriptedMicrophone(RATE, in_blocks(ramp(8), RATE))
    with microphone(None, RATE, reconnect=False, opener=scripted) as mic:
        assert scripted.played.wait(60)
        monitor = Monitor(EmotionModel(tiny_model), mic, hop=0.5)
        first = next(iter(monitor))
    assert first.end == 8.0
    assert monitor.skipped == 15


@pytest.mark.usefixtures("_impatient")
def test_a_stall_is_said_and_the_device_is_opened_again() -> None:
    scripted = ScriptedMicrophone(
        RATE, in_blocks(ramp(1), RATE), None, None, in_blocks(ramp(2), RATE)
    )
    with microphone("headset", RATE, opener=scripted) as mic:
        blocks = iter(mic)
        take(blocks, RATE)
        while not mic.message:
            assert not len(sound_in([next(blocks)]))  # time goes by, so that a dashboard can say so
        assert "scripted 0 stopped delivering sound" in mic.message
        gap, *rest = take(blocks, 2 * RATE)
        assert isinstance(gap, Gap)
        assert gap.seconds > 0.3
        assert gap.reason == "microphone gone"
        np.testing.assert_array_equal(sound_in(rest), ramp(2))
        assert mic.message == ""
        assert mic.name == "scripted 1"
    assert scripted.asked == ["headset", "headset", "headset", None]  # at last the default one
    assert all(stream.closed.is_set() for stream in scripted.streams)


@pytest.mark.usefixtures("_impatient")
def test_a_device_that_wakes_up_slowly_is_no_stall() -> None:
    scripted = ScriptedMicrophone(RATE, [Wait(0.45), *in_blocks(ramp(1), RATE)])
    with microphone(None, RATE, opener=scripted) as mic:
        assert not [b for b in take(iter(mic), RATE) if isinstance(b, Gap)]
    assert len(scripted.asked) == 1


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("pause", [0.07, 0.15, 1.9, 600.0])
def test_what_a_device_that_paused_did_not_hear_is_a_gap_however_short(pause: float) -> None:
    script: list[Step] = [*in_blocks(ramp(1), RATE), Missing(pause), *in_blocks(ramp(1), RATE)]
    scripted = ScriptedMicrophone(RATE, script)
    with microphone(None, RATE, opener=scripted) as mic:
        blocks = take(iter(mic), 2 * RATE)
        assert mic.overflows == 0
    ((place, gap),) = gaps_in(blocks)
    assert (place, gap.reason) == (RATE, "nothing came")
    assert gap.seconds == pytest.approx(pause, abs=0.001)
    assert len(scripted.asked) == 1


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("late", [0.07, 0.4, 2.5, 9.0])
def test_sound_that_is_only_late_is_neither_missing_nor_heard_twice(late: float) -> None:
    script: list[Step] = [*in_blocks(ramp(1), RATE), Late(late), *in_blocks(ramp(late + 1), RATE)]
    scripted = ScriptedMicrophone(RATE, script)
    with microphone(None, RATE, opener=scripted) as mic:
        blocks = take(iter(mic), round((late + 2) * RATE))
        assert mic.backlog == 0
    assert not [block for block in blocks if isinstance(block, Gap)]
    np.testing.assert_array_equal(sound_in(blocks), np.concatenate([ramp(1), ramp(late + 1)]))
    assert len(scripted.asked) == 1


def test_what_a_device_lost_of_a_backlog_is_an_overflow_where_it_was_lost() -> None:
    blocks = in_blocks(ramp(1), RATE)
    # A second and a half waits in the device, the next half is lost, and then it is taken.
    script: list[Step] = [*blocks, Late(2), *blocks, *blocks[:10], Missing(0.5), Overflow()]
    scripted = ScriptedMicrophone(RATE, [*script, *blocks, *blocks])
    with microphone(None, RATE, opener=scripted) as mic:
        heard = take(iter(mic), round(4.5 * RATE))
        assert mic.overflows == 1
    ((place, gap),) = gaps_in(heard)
    assert (place, gap.reason) == (2.5 * RATE, "overflow")
    assert gap.seconds == pytest.approx(0.5, abs=0.001)


@pytest.mark.usefixtures("_impatient")
def test_a_process_that_was_stopped_does_not_give_its_microphone_up() -> None:
    stopped = threading.Event()

    def script() -> Iterator[Step]:
        yield from in_blocks(ramp(1), RATE)
        yield Late(2)
        stopped.wait(60)
        yield from in_blocks(ramp(3), RATE)

    scripted = ScriptedMicrophone(RATE, script())
    with microphone(None, RATE, opener=scripted) as mic:
        blocks = iter(mic)
        take(blocks, RATE)
        for _ in range(2):
            next(blocks)
            time.sleep(0.4)  # more than a device may be silent, but nobody listened
        stopped.set()
        assert not [b for b in take(blocks, 3 * RATE) if isinstance(b, Gap)]
    assert len(scripted.asked) == 1


@pytest.mark.usefixtures("_impatient")
def test_without_reconnection_a_stall_is_an_error_in_one_line() -> None:
    scripted = ScriptedMicrophone(RATE, in_blocks(ramp(1), RATE))
    with microphone(None, RATE, reconnect=False, opener=scripted) as mic:
        with pytest.raises(LiveSerError, match="stopped delivering sound") as caught:
            list(mic)
        assert isinstance(caught.value, DeviceError)


@pytest.mark.usefixtures("_impatient")
def test_a_device_that_opens_but_never_delivers_is_tried_again() -> None:
    scripted = ScriptedMicrophone(RATE, in_blocks(ramp(1), RATE), [], in_blocks(ramp(1), RATE))
    with microphone(None, RATE, opener=scripted) as mic:
        blocks = iter(mic)
        take(blocks, RATE)
        gaps = [b for b in take(blocks, RATE) if isinstance(b, Gap)]
    assert len(gaps) == 1
    assert gaps[0].seconds > 0.9  # both stalls, in one gap


@pytest.mark.usefixtures("_impatient")
def test_overflows_before_a_reconnection_still_count() -> None:
    first: list[Step] = [Overflow(), *in_blocks(ramp(1), RATE)]
    second: list[Step] = [Overflow(), *in_blocks(ramp(1), RATE)]
    with microphone(None, RATE, opener=ScriptedMicrophone(RATE, first, second)) as mic:
        take(iter(mic), 2 * RATE)
        assert mic.overflows == 2


def test_memory_stays_bounded_when_nobody_listens() -> None:
    block = np.zeros((800, 1), np.float32)
    scripted = ScriptedMicrophone(RATE, itertools.repeat(block, 5000))
    with microphone(None, RATE, opener=scripted) as mic:
        assert scripted.played.wait(60)
        _, *blocks = take(iter(mic), round(QUEUE_SECONDS * RATE))
        assert len(sound_in(blocks)) == QUEUE_SECONDS * RATE


def test_what_is_not_a_number_is_heard_as_silence() -> None:
    sound = ramp(1)
    sound[[100, 200, 300]] = np.nan, np.inf, -np.inf
    with microphone(None, RATE, opener=ScriptedMicrophone(RATE, in_blocks(sound, RATE))) as mic:
        heard = sound_in(take(iter(mic), RATE))
    np.testing.assert_array_equal(heard, np.nan_to_num(sound, posinf=0, neginf=0))


@pytest.mark.parametrize("size", [1, 100_000])
def test_blocks_of_any_size_are_taken(size: int) -> None:
    sound = ramp(0.5 if size == 1 else 9)
    blocks = [sound[i : i + size, np.newaxis] for i in range(0, len(sound), size)]
    scripted = ScriptedMicrophone(RATE, blocks)
    with microphone(None, RATE, reconnect=False, opener=scripted) as mic:
        heard = sound_in(take(iter(mic), len(sound)))
    np.testing.assert_array_equal(heard, sound)


def test_the_device_is_let_go_at_the_end_and_no_thread_stays() -> None:
    scripted = ScriptedMicrophone(RATE, in_blocks(ramp(1), RATE))
    with microphone(None, RATE, opener=scripted) as mic:
        take(iter(mic), RATE)
    assert scripted.streams[0].closed.is_set()
    assert scripted.played.wait(60)
    assert not [t for t in threading.enumerate() if "Attempt" in type(t).__name__]
