"""The clock of captured sound: how much is missing, and what is merely late.

Two clocks are held against each other: the host's, by which blocks arrive, and the device's, which
counts samples. A block can be late, never early. So what the promptest blocks tell is where sound
lies in time, and a step in that, which stays once a backlog is drained, is sound that is missing.
A device whose clock is a little fast or slow changes it slowly, and never in steps.

How old the device says that a block is (PortAudio's ADC time) tells on which side of the missing
sound a backlog lies. It is not what the missing sound is measured by: after a suspension,
PulseAudio's estimate of its own delay takes seconds to come right.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_MISSING = 0.06  # seconds; arrivals jitter by less
SETTLED = 0.5  # seconds of sound in which nothing came any sooner: there is no backlog any more
MAX_DRIFT = 500e-6  # of a device's clock, in seconds a second
_SOONER = 0.01  # seconds; less is jitter
_RECALLED = 30.0  # seconds of sound for which a gap can turn out to have been too long
_USUAL = 0.02  # weight of one block in the usual age of blocks


@dataclass(frozen=True)
class Arrival:
    """A block of sound as it came from a device.

    Attributes:
        block: float32 ``[n, channels]``.
        rate: in Hz.
        arrived: when it came, by :func:`host_clock`.
        captured: when its first sample was captured, by the device's clock, brought to that of
            the host.
        dropped: seconds of sound before it that were captured, and given up since.
        overflow: whether the device says that it lost sound before it.
        fresh: whether it is the first one of a device that was opened again.
    """

    block: NDArray[np.float32]
    rate: int
    arrived: float
    captured: float
    dropped: float = 0.0
    overflow: bool = False
    fresh: bool = False

    @property
    def seconds(self) -> float:
        """That it lasts."""
        return len(self.block) / self.rate


class CaptureClock:
    """Puts blocks where they belong in time; those in doubt wait until it is known.

    Blocks that come in time are given on at once. Those that come late wait for whichever comes
    first: a block in time, which says that nothing is missing, or half a second of sound in which
    none came sooner, which says how much is.

    Attributes:
        position: seconds from the start of the first block to the end of the newest one that was
            given on, missing sound included.
    """

    def __init__(self) -> None:
        self.position = 0.0
        self._prompt: float | None = None  # host clock less position, of blocks in time
        self._usual: float | None = None  # seconds from the end of a block to its arrival, it says
        self._gap_end = self._gap = 0.0  # where the last gap ended, and how long it was
        self._gap_prompt = 0.0  # _prompt, as that gap had it
        self._owed = 0.0  # seconds by which it was too long: sound has come sooner since
        self._missing = 0.0  # seconds before the next block that is given on
        self._waiting: list[Arrival] = []
        self._end = 0.0  # position after those that wait, if nothing were missing
        self._least = self._reference = np.inf  # seconds that the promptest of them is late
        self._settled = 0.0  # seconds of sound since one came sooner than those before it

    @property
    def waiting(self) -> float:
        """Seconds of sound that wait until it is known where they belong."""
        return self._end - self.position

    def start(self, since: float) -> None:
        """Count from this moment, by :func:`host_clock`, where nothing has come so far."""
        if self._prompt is None:
            self._prompt = since

    def behind(self, now: float) -> float:
        """Seconds from :attr:`position` to what is captured now, by :func:`host_clock`."""
        return 0.0 if self._prompt is None else max(0.0, now - self._prompt - self.position)

    def push(self, arrival: Arrival) -> list[tuple[float, Arrival]]:
        """Take the next block.

        Returns:
            The blocks whose place is known now, in order; before each, the seconds that are
            missing.
        """
        return list(self._push(arrival))

    def settle(self) -> list[tuple[float, Arrival]]:
        """Wait no longer, for instance because the device is gone.

        Returns:
            All the blocks that waited, as :meth:`push` gives them.
        """
        placed: list[tuple[float, Arrival]] = []
        while self._waiting:
            placed += self._place()
        return placed

    def _push(self, arrival: Arrival) -> Iterator[tuple[float, Arrival]]:
        self._waiting.append(arrival)
        self._end += arrival.dropped + arrival.seconds
        if self._prompt is None:
            self._prompt = arrival.arrived - self._end
        late = arrival.arrived - self._end - self._prompt
        if late <= LEAST_MISSING:
            yield from self._release(len(self._waiting))
            return
        self._settled += arrival.seconds
        if late < self._reference - _SOONER:
            self._reference, self._settled = late, 0.0
        self._least = min(self._least, late)
        if self._settled >= SETTLED:
            yield from self._place()

    def _place(self) -> Iterator[tuple[float, Arrival]]:
        """Give on what waits: the promptest block is in time, and what is missing before it."""
        assert self._prompt is not None
        least = self._least
        yield from self._release(self._first_after(least))
        owed = min(self._owed, least)
        missing = least - owed
        self._missing += missing
        self.position += missing
        self._prompt += owed
        self._gap, self._gap_end, self._gap_prompt = missing, self.position, self._prompt
        self._owed = 0.0
        later, self._waiting = self._waiting, []
        self._start_over()
        for arrival in later:  # another stretch may be missing among them
            yield from self._push(arrival)

    def _first_after(self, missing: float) -> int:
        """Number of the waiting block before which so much is missing.

        It is where the device's own clock leaps: a backlog may have been captured before that.
        Where it does not leap, the first one. The promptest block is never before it.
        """
        assert self._prompt is not None
        end, late = self.position, 0.0
        leap: int | None = None
        for number, arrival in enumerate(self._waiting):
            end += arrival.dropped + arrival.seconds
            before = late
            late = arrival.captured + arrival.seconds + (self._usual or 0.0) - end - self._prompt
            if leap is None and late - before > missing / 2:
                leap = number
            if leap is not None and arrival.arrived - end - self._prompt <= missing + _SOONER:
                return leap
        return 0

    def _release(self, count: int) -> Iterator[tuple[float, Arrival]]:
        for arrival in self._waiting[:count]:
            self.position += arrival.dropped + arrival.seconds
            self._learn(arrival)
            missing, self._missing = self._missing, 0.0
            yield missing, arrival
        self._waiting = self._waiting[count:]
        self._start_over()

    def _learn(self, arrival: Arrival) -> None:
        """What a block tells of the clocks: how they drift, and how old blocks usually are."""
        assert self._prompt is not None
        late = arrival.arrived - self.position - self._prompt
        self._prompt += min(MAX_DRIFT * arrival.seconds, late)
        if self.position - self._gap_end < _RECALLED:
            self._owed = min(max(0.0, self._gap_prompt - self._prompt), self._gap)
        if late <= LEAST_MISSING:
            age = arrival.arrived - arrival.captured - arrival.seconds
            usual = age if self._usual is None else self._usual
            self._usual = usual + _USUAL * (age - usual)

    def _start_over(self) -> None:
        self._end = self.position
        self._least = self._reference = np.inf
        self._settled = 0.0


def host_clock() -> float:
    """Seconds that go on while the machine sleeps, where the system has a clock that does."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()
