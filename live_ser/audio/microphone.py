"""A microphone: its callback and queue, and reconnection when it is unplugged."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from live_ser.audio.blocks import (
    HEARTBEAT,
    NOTHING,
    Block,
    Gap,
    Interleaved,
    Samples,
    Voice,
    wait_until,
)
from live_ser.audio.capture_clock import Arrival, CaptureClock, host_clock
from live_ser.audio.channels import Downmix, Split, mixer
from live_ser.audio.devices import InputStream, Times
from live_ser.audio.reading import Reading
from live_ser.audio.resampler import Resampler
from live_ser.errors import DeviceError, LiveSerError

QUEUE_SECONDS = 10.0  # of sound in the queue at most; older sound is dropped
STALL_SECONDS = 2.0  # without a callback, after which a microphone counts as disconnected
START_SECONDS = 5.0  # the same just after it was opened: wireless ones take longer
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)  # between attempts to reconnect; the last one repeats


class Microphone:
    """A :class:`~live_ser.audio.blocks.Source` for a device; the caller closes it.

    Args:
        open_line: function that opens a device, its first argument, with a ``callback``.
        device: index or part of a name; None for the default device.
        rate: sample rate of the blocks in Hz.
        reading: which channel to use, or whether each is classified separately.
        reconnect: wait for a device that was disconnected, rather than raise.

    Attributes:
        message: current problem, for the user; empty if there is none.
    """

    def __init__(
        self,
        open_line: Callable[..., InputStream],
        *,
        device: int | str | None,
        rate: int,
        reading: Reading,
        reconnect: bool,
    ) -> None:
        self._open_line, self._device, self._rate = open_line, device, rate
        self._reading, self._reconnect = reading, reconnect
        self._lost = 0  # times that sound was dropped from the queue
        self._earlier_overflows = 0  # of earlier connections
        self._attempt: _Attempt | None = None
        self._attempts = 0
        self.message = ""
        self._mix: Downmix | Split | None = (
            None  # made once it is known how many channels there are
        )
        self._clock = CaptureClock()
        self._opened = host_clock()
        self._given_on = 0.0  # seconds of sound released by the clock, not yet yielded
        self._line = _Line(partial(open_line, device))
        if reading.each_channel:
            self._mix = mixer(self._line.stream.channels, self._line.stream.rate, reading)
        self._resample = self._new_resampler(self._line.stream.rate)

    @property
    def name(self) -> str:
        """The name of the device that is open."""
        return self._line.stream.name

    @property
    def native_rate(self) -> int:
        """The rate of the device that is open, in Hz."""
        return self._line.stream.rate

    @property
    def overflows(self) -> int:
        """Number of times that sound was lost because it was not read in time."""
        return self._lost + self._earlier_overflows + self._line.overflows

    @property
    def backlog(self) -> float:
        """Seconds of sound that wait to be read."""
        return self._line.backlog + self._clock.waiting + self._given_on

    @property
    def behind(self) -> float:
        """Seconds from the newest sound that was yielded to now."""
        return self._clock.behind(host_clock()) + self._given_on

    @property
    def notes(self) -> list[str]:
        """Warnings for the user."""
        return [f"{self.name}: {note}" for note in (self._mix.notes if self._mix else [])]

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voices of the channels, if they are classified separately."""
        return self._mix.voices if self._mix else ()

    def close(self) -> None:
        """Close the device, also one that is being opened."""
        if self._attempt is not None:
            self._attempt.give_up()
        self._line.stream.close()

    def __iter__(self) -> Iterator[Block]:
        silent = 0.0  # seconds without sound while this loop ran: the process may have been stopped
        while True:
            try:
                arrival = self._line.take(HEARTBEAT)
            except queue.Empty:
                yield NOTHING
                silent += HEARTBEAT
                if silent > self._line.patience:
                    yield from self._give(self._clock.settle())
                    yield from self._connect_again()
                    silent = 0.0
                continue
            silent = 0.0
            self._lost += arrival.dropped > 0
            if self.message:
                self._attempts, self.message = 0, ""
            yield from self._give(self._clock.push(arrival))

    def _give(self, placed: list[tuple[float, Arrival]]) -> Iterator[Block]:
        """Yield resampled blocks, and gaps for the sound missing before them."""
        for number, (missing, arrival) in enumerate(placed, start=1):
            self._given_on = sum(later.seconds for _, later in placed[number:])
            gaps = [Gap(arrival.dropped, "overflow")] if arrival.dropped else []
            if arrival.fresh:
                gaps.append(Gap(missing, "microphone gone"))
            elif missing:
                gaps.append(Gap(missing, "overflow" if arrival.overflow else "nothing came"))
            if gaps:
                yield self._resample.push(self._rest())
                yield self._resample.finish()
                yield from gaps
                self._resample = self._new_resampler(arrival.rate)
            yield self._resample.push(self._mixed(arrival.block, arrival.rate))

    def _new_resampler(self, rate: int) -> Resampler:
        return Resampler(rate, self._rate, len(self.voices))

    def _mixed(self, block: Interleaved, rate: int) -> Samples:
        if not np.isfinite(block).all():  # some drivers give NaN
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        if self._mix is None or (not self.voices and self._mix.channels != block.shape[1]):
            self._mix = mixer(block.shape[1], rate, self._reading)
        return self._mix.push(block)

    def _rest(self) -> Samples:
        """The sound before a gap that the downmix still holds."""
        return NOTHING if self._mix is None else self._mix.finish()

    def _connect_again(self) -> Iterator[Block]:
        """Try to open a device again and again, and yield empty blocks meanwhile."""
        gone = f"{self.name} stopped delivering sound"
        if not self._reconnect:
            raise DeviceError(
                gone,
                "plug it in again, or take another one; without `reconnect=False` it is waited for",
            )
        self._clock.start(self._opened)
        old: _Line | None = self._line
        while True:
            self.message = f"{gone}; trying to have it back"
            wait = RETRY_SECONDS[min(self._attempts, len(RETRY_SECONDS) - 1)]
            yield from wait_until(time.monotonic() + wait)
            # The same device first; after some attempts, the default one.
            device = self._device if self._attempts < len(RETRY_SECONDS) else None
            self._attempts += 1
            self._attempt = _Attempt(partial(self._open_line, device, rescan=True), old)
            while self._attempt.is_alive():
                yield from wait_until(time.monotonic() + HEARTBEAT)
            line, self._attempt = self._attempt.line, None
            if line is not None:
                self._earlier_overflows += self._line.overflows
                self._line = line
                return
            old = None  # the attempt closed it


class _Line:
    """A connection to a device: a callback that only copies, and a bounded queue."""

    def __init__(self, open_stream: Callable[..., InputStream], *, again: bool = False) -> None:
        self.overflows = 0
        self._again = again
        self._queue: queue.SimpleQueue[tuple[int, Times, bool, Interleaved]] = queue.SimpleQueue()
        self._captured = self._taken = 0  # samples of a channel
        self._oldest = 0  # the first in the queue
        self._most = math.inf  # in the queue, at most
        self.stream = open_stream(callback=self._callback)
        self._most = QUEUE_SECONDS * self.stream.rate

    @property
    def backlog(self) -> float:
        """Seconds of sound that wait to be read."""
        return (self._captured - self._taken) / self.stream.rate

    @property
    def patience(self) -> float:
        """Seconds without sound after which the device counts as disconnected."""
        return STALL_SECONDS if self._captured else START_SECONDS

    def take(self, timeout: float) -> Arrival:
        """The oldest block in the queue.

        Raises:
            queue.Empty: none came within ``timeout`` seconds.
        """
        start, times, overflow, block = self._queue.get(timeout=timeout)
        arrival = Arrival(
            block,
            self.stream.rate,
            times.arrived,
            times.captured,
            dropped=(start - self._taken) / self.stream.rate,
            overflow=overflow,
            fresh=self._again and self._taken == 0,
        )
        self._taken = self._oldest = start + len(block)
        return arrival

    def _callback(self, block: Interleaved, times: Times, overflow: bool) -> None:
        self.overflows += overflow
        with contextlib.suppress(queue.Empty):
            while self._captured + len(block) - self._oldest > self._most:  # drop the oldest
                start, _, _, dropped = self._queue.get_nowait()
                self._oldest = start + len(dropped)
        self._queue.put_nowait((self._captured, times, overflow, block.copy()))
        self._captured += len(block)


class _Attempt(threading.Thread):
    """An attempt to open a device again, in a thread: it may block."""

    def __init__(self, open_stream: Callable[..., InputStream], old: _Line | None) -> None:
        super().__init__(daemon=True)
        self.line: _Line | None = None
        self._open_stream, self._old = open_stream, old
        self._wanted = True
        self._lock = threading.Lock()
        self.start()

    def run(self) -> None:
        if self._old is not None:
            self._old.stream.close()
        with contextlib.suppress(LiveSerError):
            line = _Line(self._open_stream, again=True)
            with self._lock:
                if self._wanted:
                    self.line = line
                    return
            line.stream.close()

    def give_up(self) -> None:
        """Cancel: close a device that was or will be opened."""
        with self._lock:
            self._wanted = False
            if self.line is not None:
                self.line.stream.close()
