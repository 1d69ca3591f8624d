"""A microphone that plays a script: PortAudio's part, with nothing left to chance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
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


Step = (
    NDArray[np.float32] | Wait | Missing | Late | Overflow | Callable[[], None]
)  # anything may happen meanwhile


def in_blocks(samples: NDArray[np.float32], rate: int) -> list[NDArray[np.float32]]:
    """Blocks as PortAudio would bring them: [n, channels]."""
    if samples.ndim == 1:
        samples = samples[:, np.newaxis]
    size = round(rate * BLOCK_SECONDS)
    return [samples[i : i + size] for i in range(0, len(samples), size)]


class DeviceTime:
    """The time of a device that may bring its sound faster than it could be spoken."""

    def __init__(self) -> None:
        self._now = self._late_until = host_clock()
        self._looked = time.monotonic()

    def play(self, seconds: float) -> Times:
        """The times of a block, which is captured after what was there before."""
        captured = self._now
        self.skip(seconds)
        return Times(captured, max(self._now, self._late_until))

    def skip(self, seconds: float) -> None:
        """Capture nothing for a while."""
        self._now += seconds
        self._looked = time.monotonic()

    def late(self, seconds: float) -> None:
        """Bring nothing for a while, but capture."""
        self._late_until = self._now + seconds

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
    """An opener whose devices play one script each; None refuses to open.

    Attributes:
        asked: the device that each attempt to open asked for.
    """

    def __init__(self, rate: int, *scripts: Iterable[Step] | None, pace: float = 0.0) -> None:
        self.rate = rate
        self.scripts = list(scripts)
        self.pace = pace
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
        script = self.scripts.pop(0) if self.scripts else None
        if script is None:
            raise LiveSerError("no such device", "plug it in")
        stream = ScriptedStream(f"scripted {len(self.streams)}", self.rate, channels or 1)
        self.streams.append(stream)
        self.time.open()
        play = threading.Thread(target=self._play, args=(script, callback, stream), daemon=True)
        play.start()
        return stream

    def _play(
        self,
        script: Iterable[Step],
        callback: Callback,
        stream: ScriptedStream,
    ) -> None:
        try:
            self._play_steps(script, callback, stream)
        finally:
            stream.played.set()

    def _play_steps(
        self,
        script: Iterable[Step],
        callback: Callback,
        stream: ScriptedStream,
    ) -> None:
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
                callback(buffer, self.time.play(len(step) / self.rate), overflow)
                overflow = False
                time.sleep(self.pace)
        if buffer is not None:
            buffer.fill(np.nan)
        self.played.set()
