"""The clock of captured sound: which sound is missing, and which is merely late.

It compares the host's clock, at which blocks arrive, with the device's, which counts samples. A
block can be late, never early. So the promptest blocks define where sound lies in time, and a step
in this that persists once a backlog is drained is missing sound. The drift of a device's clock
changes it slowly, never in steps.

The age of a block according to the device (PortAudio's ADC time) shows on which side of the missing
sound a backlog lies. It is not used to measure how much is missing: after a suspension, PulseAudio
takes seconds to estimate its own delay correctly.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_MISSING = 0.06  # seconds; arrivals jitter by less
SETTLED = 0.5  # seconds of sound without an earlier arrival, after which the backlog is drained
MAX_DRIFT = 500e-6  # of a device's clock, in seconds a second
_SOONER = 0.01  # seconds; a smaller difference is jitter
_RECALLED = 30.0  # seconds of sound after a gap during which its length is still corrected
_USUAL = 0.02  # weight of a block in the mean age of blocks


@dataclass(frozen=True)
class Arrival:
    """A block of sound from a device.

    Attributes:
        block: float32 ``[n, channels]``.
        rate: sample rate in Hz.
        arrived: time of arrival, by :func:`host_clock`.
        captured: time at which its first sample was captured according to the device, on the
            host's clock.
        dropped: seconds of sound before it that were captured, but dropped.
        overflow: whether the device reports lost sound before it.
        fresh: whether it is the first block after the device was opened again.
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
        """Its length in seconds."""
        return len(self.block) / self.rate


class CaptureClock:
    """Places blocks in time; blocks in doubt wait.

    Blocks on time are released at once. Late ones wait until a block is on time again (nothing is
    missing), or for half a second of sound without an earlier arrival (which shows how much is).

    Attributes:
        position: seconds from the start of the first block to the end of the newest one that was
            released, missing sound included.
    """

    def __init__(self) -> None:
        self.position = 0.0
        # Host clock minus position, for blocks on time.
        self._prompt: float | None = None
        # Mean age of a block when it arrives, according to the device.
        self._usual: float | None = None
        self._gap_end = self._gap = 0.0  # end and length of the last gap
        self._gap_prompt = 0.0  # _prompt at the end of that gap
        self._excess = 0.0  # seconds by which that gap was too long, as later blocks show
        self._missing = 0.0  # seconds of missing sound before the next released block
        self._waiting: list[Arrival] = []
        self._end = 0.0  # position after the waiting blocks, if nothing is missing
        # Delay of the promptest waiting block: exact, and as it was when it last fell clearly.
        self._least = self._reference = np.inf
        self._settled = 0.0  # seconds of sound since the delay last fell clearly

    @property
    def waiting(self) -> float:
        """Seconds of sound in blocks that wait."""
        return self._end - self.position

    def start(self, since: float) -> None:
        """Start at a time, by :func:`host_clock`, if no block has come yet."""
        if self._prompt is None:
            self._prompt = since

    def behind(self, now: float) -> float:
        """Seconds from :attr:`position` to ``now``, by :func:`host_clock`."""
        return 0.0 if self._prompt is None else max(0.0, now - self._prompt - self.position)

    def push(self, arrival: Arrival) -> list[tuple[float, Arrival]]:
        """Add a block.

        Returns:
            The blocks that are released, in order, each with the seconds of sound missing before
            it.
        """
        return list(self._push(arrival))

    def settle(self) -> list[tuple[float, Arrival]]:
        """Release all blocks, for instance because the device is gone.

        Returns:
            The blocks that waited, as from :meth:`push`.
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
        """Release the waiting blocks: the promptest is on time, and sound before it is missing."""
        assert self._prompt is not None
        least = self._least
        yield from self._release(self._first_after(least))
        excess = min(self._excess, least)
        missing = least - excess
        self._missing += missing
        self.position += missing
        self._prompt += excess
        self._gap, self._gap_end, self._gap_prompt = missing, self.position, self._prompt
        self._excess = 0.0
        later, self._waiting = self._waiting, []
        self._start_over()
        for arrival in later:  # more sound may be missing between them
            yield from self._push(arrival)

    def _first_after(self, missing: float) -> int:
        """Index of the waiting block before which sound is missing.

        That is where the device's clock leaps: a backlog may have been captured before that. If it
        does not leap, the first block. The promptest block is never before it.
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
        """Update the drift of the clocks, and the mean age of blocks."""
        assert self._prompt is not None
        late = arrival.arrived - self.position - self._prompt
        self._prompt += min(MAX_DRIFT * arrival.seconds, late)
        if self.position - self._gap_end < _RECALLED:
            self._excess = min(max(0.0, self._gap_prompt - self._prompt), self._gap)
        if late <= LEAST_MISSING:
            age = arrival.arrived - arrival.captured - arrival.seconds
            usual = age if self._usual is None else self._usual
            self._usual = usual + _USUAL * (age - usual)

    def _start_over(self) -> None:
        self._end = self.position
        self._least = self._reference = np.inf
        self._settled = 0.0


def host_clock() -> float:
    """A monotonic time in seconds that includes sleep, if the system has such a clock."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()
