"""A microphone that plays a script: PortAudio's part, with nothing left to chance."""

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
    """The device does not call back for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Missing:
    """So many seconds go by of which no sound ever comes; the script does not wait for them."""

    seconds: float


@dataclass(frozen=True)
class Late:
    """The sound of so many seconds from here on comes at their end, all at once."""

    seconds: float


@dataclass(frozen=True)
class Overflow:
    """The next block comes after sound was lost."""


# Blocks are [n, channels]. Anything may happen meanwhile: a function is called in its turn.
Step = NDArray[np.float32] | Wait | Missing | Late | Overflow | Callable[[], None]
Script = Iterable[Step]  # it may be made up while it is played, and need not end


def in_blocks(samples: NDArray[np.float32], rate: int) -> list[NDArray[np.float32]]:
    """Blocks as PortAudio would bring them: [n, channels]."""
    if samples.ndim == 1:
        samples = samples[:, np.newaxis]
    size = round(rate * BLOCK_SECONDS)
    return [samples[i : i + size] for i in range(0, len(samples), size)]


def in_random_blocks(samples: Iterable[NDArray[np.float32]], largest: int) -> Iterator[Step]:
    """The same sound in blocks of one sample to so many, short ones as often as long ones."""
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
    """The time of a device that may bring its sound faster than it could be spoken.

    Attributes:
        now: when the next sample is captured, by the host's clock.
    """

    def __init__(self) -> None:
        self.now = self._late_until = host_clock()
        self._looked = time.monotonic()

    def play(self, seconds: float) -> Times:
        """The times of a block, which is captured after what was there before."""
        captured = self.now
        self.skip(seconds)
        return Times(captured, max(self.now, self._late_until))

    def skip(self, seconds: float) -> None:
        """Capture nothing for a while."""
        self.now += seconds
        self._looked = time.monotonic()

    def late(self, seconds: float) -> None:
        """Bring nothing for a while, but capture."""
        self._late_until = self.now + seconds

    def open(self) -> None:
        """A device that is opened has missed what went by since."""
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
    """An opener whose devices play one script each; where there is None, it refuses to open.

    Args:
        rate: that devices open at, whatever is asked for.
        scripts: what they play, one after the other; once they are used up it refuses.
        more: scripts after these, each made up when a device is opened.
        pace: seconds from one block to the next.
        real_time: whether each block comes when its last sample has been spoken.

    Attributes:
        scripts: those that are still to be played.
        asked: the device that each attempt to open asked for.
        streams: that were opened.
        played: set when a script was played to its end.
        time: of the device.
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
        """Whether the newest device has nothing more to say."""
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
                # One buffer for all blocks, as PortAudio has it: who does not copy, loses.
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
