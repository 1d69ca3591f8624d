"""A microphone that plays a script in place of PortAudio, deterministically."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.capture_clock import host_clock
from live_ser.audio.devices import BLOCK_SECONDS, Callback, Times
from live_ser.errors import LiveSerError


@dataclass(frozen=True)
class Wait:
    """The device does not call back for a number of seconds."""

    seconds: float


@dataclass(frozen=True)
class Missing:
    """A number of seconds whose sound never arrives; the script does not wait for them."""

    seconds: float


@dataclass(frozen=True)
class Late:
    """The sound of the next seconds arrives at their end, all at once."""

    seconds: float


@dataclass(frozen=True)
class Overflow:
    """PortAudio reports lost sound with the next block."""


# Blocks are [n, channels]; functions are called when it is their turn.
Step = NDArray[np.float32] | Wait | Missing | Late | Overflow | Callable[[], None]
Script = Iterable[Step]  # may be a generator without end


def in_blocks(samples: NDArray[np.float32], rate: int) -> list[NDArray[np.float32]]:
    """Split samples into blocks ``[n, channels]`` of the length that PortAudio gives."""
    if samples.ndim == 1:
        samples = samples[:, np.newaxis]
    size = round(rate * BLOCK_SECONDS)
    return [samples[i : i + size] for i in range(0, len(samples), size)]


def in_random_blocks(samples: Iterable[NDArray[np.float32]], largest: int) -> Iterator[Step]:
    """Split sound into blocks of 1 to ``largest`` samples, with log-uniform lengths."""
    sizes = np.random.default_rng(0)
    waiting = np.zeros(0, np.float32)
    for more in samples:
        waiting = np.concatenate([waiting, more])
        while len(waiting) >= largest:
            size = int(np.exp(sizes.uniform(0, np.log(largest))))
            yield waiting[:size, np.newaxis]
            waiting = waiting[size:]
    if len(waiting):
        yield waiting[:, np.newaxis]


class DeviceTime:
    """The clock of a device that may deliver sound faster than in real time.

    Attributes:
        now: time at which the next sample is captured, by the host's clock.
    """

    def __init__(self) -> None:
        self.now = self._late_until = host_clock()
        self._looked = time.monotonic()

    def play(self, seconds: float) -> Times:
        """The times of the next block of a length in seconds."""
        captured = self.now
        self.skip(seconds)
        return Times(captured, max(self.now, self._late_until))

    def skip(self, seconds: float) -> None:
        """Let time pass without capturing sound."""
        self.now += seconds
        self._looked = time.monotonic()

    def late(self, seconds: float) -> None:
        """Let time pass in which sound is captured, but not delivered."""
        self._late_until = self.now + seconds

    def open(self) -> None:
        """Open the device: the time since the last block is lost."""
        self.skip(time.monotonic() - self._looked)


@dataclass
class ScriptedStream:
    name: str
    rate: int
    channels: int = 1
    closed: threading.Event = field(default_factory=threading.Event)
    played: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        self.closed.set()


class ScriptedMicrophone:
    """An opener whose devices play one script each; None, or the end of the scripts, is an error.

    Args:
        rate: sample rate at which devices open, whatever is requested.
        scripts: scripts of the devices, in the order in which they are opened.
        more: further scripts, which may be generated.
        pace: seconds from one block to the next.
        real_time: whether each block arrives when its last sample has been captured.

    Attributes:
        scripts: scripts that were not played yet.
        asked: requested device of each attempt to open one.
        streams: streams that were opened.
        played: set when a script has ended.
        time: clock of the devices.
    """

    def __init__(
        self,
        rate: int,
        *scripts: Script | None,
        more: Iterable[Script | None] = (),
        pace: float = 0.0,
        real_time: bool = False,
    ) -> None:
        self.rate = rate
        self.scripts = list(scripts)
        self.more = iter(more)
        self.pace = pace
        self.real_time = real_time
        self.asked: list[int | str | None] = []
        self.streams: list[ScriptedStream] = []
        self.played = threading.Event()
        self.time = DeviceTime()

    def all_played(self) -> bool:
        """Whether the script of the newest device has ended."""
        return self.streams[-1].played.is_set()

    def __call__(
        self,
        device: int | str | None,
        rate: int,
        channels: int | None,
        callback: Callback,
        *,
        channel: int | None = None,
        rescan: bool = False,
    ) -> ScriptedStream:
        self.asked.append(device)
        script = self.scripts.pop(0) if self.scripts else next(self.more, None)
        if script is None:
            raise LiveSerError("no such device", "plug it in")
        stream = ScriptedStream(f"scripted {len(self.streams)}", self.rate, channels or 1)
        self.streams.append(stream)
        self.time.open()
        play = threading.Thread(target=self._play, args=(script, callback, stream), daemon=True)
        play.start()
        return stream

    def _play(self, script: Script, callback: Callback, stream: ScriptedStream) -> None:
        try:
            self._play_steps(script, callback, stream)
        finally:
            stream.played.set()

    def _play_steps(self, script: Script, callback: Callback, stream: ScriptedStream) -> None:
        overflow = False
        buffer: NDArray[np.float32] | None = None
        for step in script:
            if stream.closed.is_set():
                return
            if isinstance(step, Wait):
                time.sleep(step.seconds)
                self.time.skip(step.seconds)
            elif isinstance(step, Missing):
                self.time.skip(step.seconds)
            elif isinstance(step, Late):
                self.time.late(step.seconds)
            elif isinstance(step, Overflow):
                overflow = True
            elif not isinstance(step, np.ndarray):
                step()
            else:
                # One buffer for all blocks, as in PortAudio: a callback has to copy it.
                if buffer is None or buffer.shape != step.shape:
                    buffer = np.empty_like(step)
                buffer[:] = step
                times = self.time.play(len(step) / stream.rate)
                if self.real_time:
                    stream.closed.wait(max(0.0, times.arrived - host_clock()))
                    times = Times(times.captured, host_clock())
                callback(buffer, times, overflow)
                overflow = False
                time.sleep(self.pace)
        if buffer is not None:
            buffer.fill(np.nan)
        self.played.set()
