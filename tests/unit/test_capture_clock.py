"""What is missing is told from what is late, whatever the clocks and the machine do."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from live_ser.audio.capture_clock import LEAST_MISSING, Arrival, CaptureClock

BLOCK = 0.05
RATE = 8000
SAMPLES = np.zeros((round(BLOCK * RATE), 1), np.float32)


class Device:
    """Captures sound by a clock that may be fast, and brings it when it can.

    Attributes:
        now: host seconds at which the next block begins.
        truth: when each block was captured.
    """

    def __init__(self, *, drift: float = 0.0, jitter: float = 0.0, seed: int = 0) -> None:
        self.now = 1000.0
        self.truth: list[float] = []
        self.arrivals: list[Arrival] = []
        self._pace = BLOCK / (1 + drift)
        self._jitter, self._chance = jitter, random.Random(seed)

    def play(self, seconds: float, *, late_until: float = 0.0, says_its_age: bool = True) -> None:
        for _ in range(round(seconds / BLOCK)):
            self.truth.append(self.now)
            captured = self.now
            self.now += self._pace
            jitter = self._chance.uniform(0, self._jitter)
            arrived = max(self.now + jitter, late_until)
            age_error = self._chance.uniform(-self._jitter, self._jitter)
            captured = captured + age_error if says_its_age else arrived - BLOCK
            self.arrivals.append(Arrival(SAMPLES, RATE, arrived, captured))

    def miss(self, seconds: float) -> None:
        self.now += seconds


def placed(device: Device) -> tuple[list[float], list[float]]:
    """What is missing in all, and where each block begins on the clock of the session."""
    clock = CaptureClock()
    given = [each for arrival in device.arrivals for each in clock.push(arrival)]
    given += clock.settle()
    assert [arrival for _, arrival in given] == device.arrivals  # in order, each once
    missing = [seconds for seconds, _ in given]
    position, starts = 0.0, []
    for seconds in missing:
        starts.append(position + seconds)
        position += seconds + BLOCK
    assert position == pytest.approx(clock.position)
    return [seconds for seconds in missing if seconds], starts


def error(device: Device) -> float:
    """Seconds by which blocks lie elsewhere than they were captured, at most."""
    _, starts = placed(device)
    return float(np.abs(np.array(starts) - (np.array(device.truth) - device.truth[0])).max())


@pytest.mark.parametrize("ppm", [-200, 200])
def test_hours_of_a_device_whose_clock_is_off_have_no_gap(ppm: float) -> None:
    device = Device(drift=ppm * 1e-6, jitter=0.05)
    device.play(3600)
    assert placed(device)[0] == []


@pytest.mark.parametrize("ppm", [-200, 200])
def test_what_is_missing_is_told_exactly_after_a_drift(ppm: float) -> None:
    device = Device(drift=ppm * 1e-6, jitter=0.02)
    device.play(900)  # which drifts by more than a gap has at least
    device.miss(0.25)
    device.play(60)
    (gap,) = placed(device)[0]
    assert gap == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("seconds", [LEAST_MISSING + 0.01, 0.3, 1.9, 9.9, 3600.0])
def test_what_is_missing_is_told_to_the_sample_where_nothing_jitters(seconds: float) -> None:
    device = Device()
    device.play(5)
    device.miss(seconds)
    device.play(5)
    assert placed(device)[0] == pytest.approx([seconds])
    assert error(device) < 1e-2


def test_short_losses_add_up_to_a_gap() -> None:
    device = Device()
    for _ in range(20):
        device.play(1)
        device.miss(0.03)
    assert sum(placed(device)[0]) == pytest.approx(0.6, abs=0.1)
    assert error(device) < 0.1


@pytest.mark.parametrize("says_its_age", [False, True])
def test_a_backlog_is_no_gap_however_long(says_its_age: bool) -> None:
    device = Device(jitter=0.01)
    device.play(5)
    device.play(16, late_until=device.now + 16, says_its_age=says_its_age)
    device.play(5)
    assert placed(device)[0] == []


def test_the_device_tells_on_which_side_of_a_backlog_something_is_missing() -> None:
    for before, after in ((0.7, 0.0), (0.0, 0.7)):
        device = Device()
        device.play(5)
        device.miss(before)
        device.play(2, late_until=device.now + 2 + after)
        device.miss(after)
        device.play(5)
        assert placed(device)[0] == pytest.approx([0.7])
        assert error(device) < 0.01


def test_blocks_that_wait_are_given_on_within_half_a_second_of_sound() -> None:
    device, clock = Device(), CaptureClock()
    device.play(1)
    device.miss(1)
    device.play(1)
    waited = []
    for arrival in device.arrivals:
        clock.push(arrival)
        waited.append(clock.waiting)
    assert max(waited) < 0.6
    assert waited[-1] == 0


def test_now_is_where_sound_lies_that_is_captured_now() -> None:
    device, clock = Device(), CaptureClock()
    device.play(2)
    for arrival in device.arrivals:
        clock.push(arrival)
    assert clock.behind(device.now) == pytest.approx(0, abs=0.01)
    assert clock.behind(device.now + 7) == pytest.approx(7, abs=0.01)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_sound_lies_where_it_was_to_a_tenth_of_a_second(seed: int) -> None:
    chance = random.Random(seed)
    device = Device(drift=chance.uniform(-2e-4, 2e-4), jitter=chance.uniform(0, 0.02), seed=seed)
    device.play(5)
    lost = 0.0
    for _ in range(10):
        what = chance.choice(["late", "missing", "bursts", "both"])
        if what in ("missing", "both"):
            seconds = chance.uniform(0.08, 5)
            device.miss(seconds)
            lost += seconds
        if what in ("late", "both"):
            seconds = chance.uniform(0.05, 5)
            device.play(seconds, late_until=device.now + seconds)
        if what == "bursts":
            for _ in range(chance.randrange(2, 9)):
                seconds = chance.uniform(0.05, 0.5)
                device.play(seconds, late_until=device.now + seconds)
                device.play(chance.choice([0, BLOCK]))
        device.play(chance.uniform(1, 5))
    assert error(device) < 0.1
    assert sum(placed(device)[0]) == pytest.approx(lost, abs=0.1)


def test_two_losses_in_a_row_are_both_told_though_the_device_notices_only_one() -> None:
    device = Device()
    device.play(5)
    device.miss(0.75)
    device.play(0.3, says_its_age=False)
    device.arrivals[-6:] = [
        replace(arrival, captured=arrival.captured - 0.75) for arrival in device.arrivals[-6:]
    ]
    device.miss(0.8)
    device.play(5)
    assert sum(placed(device)[0]) == pytest.approx(1.55, abs=0.01)
    assert error(device) < 0.1


def test_a_gap_that_was_too_long_shortens_the_next_one() -> None:
    device = Device()
    device.play(5)
    # The sound server falls behind for a second, in which what it holds back looks missing.
    for _ in range(20):
        device.play(BLOCK, late_until=device.now + BLOCK + 0.08)
    device.play(5)
    device.miss(1)
    device.play(5)
    assert sum(placed(device)[0]) == pytest.approx(1, abs=0.01)
