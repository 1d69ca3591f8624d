"""What decodes a sound file, and what it finds missing of the sound."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from live_ser.audio.devices import Interleaved
from live_ser.errors import AudioError

TOLERATED = 0.05  # seconds of missing sound in a whole recording: a frame or two of a codec


@dataclass(frozen=True, order=True)
class Missing:
    """A stretch of a recording whose sound is lost or damaged.

    Attributes:
        start: seconds from the start of the recording.
        end: likewise; infinite where nothing tells how much is lost.
    """

    start: float
    end: float = math.inf

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start

    def __str__(self) -> str:
        if math.isinf(self.end):
            return f"from {self.start:.2f} s on"
        return f"from {self.start:.2f} to {self.end:.2f} s"


class Decoder(ABC):
    """Frames of a sound file, one after another; in the place of missing ones there are zeros.

    Attributes:
        rate: in Hz.
        channels: their number.
        frames: how many there will be; None where only the end shows it.
        missing: what is known to be missing, in order of time; it may grow while frames are read.
        track: the one that is decoded, from 1, where there are several; None where there is one.
        note: what to tell the user of it, in a line; empty where all is well.
    """

    rate: int
    channels: int
    frames: int | None
    missing: tuple[Missing, ...] = ()
    track: int | None = None
    note: str = ""

    @abstractmethod
    def read(self, frames: int) -> Interleaved:
        """The next frames, float32 ``[n, channels]``; none at the end, and only there.

        Raises:
            AudioError: nothing can be decoded from here on.
        """

    @abstractmethod
    def rewind(self) -> None:
        """Begin again."""

    @abstractmethod
    def close(self) -> None:
        """Release what it holds."""

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def joined(missing: Iterable[Missing]) -> tuple[Missing, ...]:
    """Stretches in order of time, those that touch made one."""
    found: list[Missing] = []
    for one in sorted(missing):
        if found and one.start <= found[-1].end + TOLERATED:
            found[-1] = Missing(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)


def spans(missing: Iterable[Missing]) -> tuple[tuple[float, float | None], ...]:
    """Starts and ends in seconds as records hold them; None for an end that nothing tells."""
    return tuple(
        (round(one.start, 3), None if math.isinf(one.end) else round(one.end, 3)) for one in missing
    )


def is_complete(missing: Iterable[Missing]) -> bool:
    """Whether so little is missing that nobody would hear it."""
    return sum(one.seconds for one in missing) <= TOLERATED


def no_sound(name: object) -> AudioError:
    """The error for a file without a single sample."""
    return AudioError(f"{name} holds no sound: zero samples", "record it again")
