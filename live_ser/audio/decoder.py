"""The base class of decoders, and the sound that is missing from a file."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from live_ser.audio.blocks import Interleaved
from live_ser.errors import AudioError

TOLERATED = 0.05  # seconds of missing sound per recording: a frame or two of a codec


@dataclass(frozen=True, order=True)
class Missing:
    """A stretch of a recording with missing or damaged sound.

    Attributes:
        start: seconds from the start of the recording.
        end: seconds from the start of the recording; infinite if unknown.
    """

    start: float
    end: float = math.inf

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return self.end - self.start

    def __str__(self) -> str:
        if math.isinf(self.end):
            return f"from {self.start:.2f} s on"
        return f"from {self.start:.2f} to {self.end:.2f} s"


class Decoder(ABC):
    """Reads the frames of a sound file; missing ones are zeros.

    Attributes:
        rate: sample rate in Hz.
        channels: number of channels.
        frames: number of frames; None if it is unknown before the end.
        missing: missing sound found so far, in order of time.
        track: number of the track, from 1, if there are several; else None.
        note: a warning in a line; empty if there is none.
    """

    rate: int
    channels: int
    frames: int | None
    missing: tuple[Missing, ...] = ()
    track: int | None = None
    note: str = ""

    @abstractmethod
    def read(self, frames: int) -> Interleaved:
        """Read frames, float32 ``[n, channels]``; empty only at the end.

        Raises:
            AudioError: decoding failed.
        """

    @abstractmethod
    def rewind(self) -> None:
        """Start over."""

    @abstractmethod
    def close(self) -> None:
        """Release all resources."""

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def joined(missing: Iterable[Missing]) -> tuple[Missing, ...]:
    """Missing stretches in order of time, merged where they touch."""
    found: list[Missing] = []
    for one in sorted(missing):
        if found and one.start <= found[-1].end + TOLERATED:
            found[-1] = Missing(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)


def spans(missing: Iterable[Missing]) -> tuple[tuple[float, float | None], ...]:
    """Starts and ends in seconds, as in records; None for an unknown end."""
    return tuple(
        (round(one.start, 3), None if math.isinf(one.end) else round(one.end, 3)) for one in missing
    )


def is_complete(missing: Iterable[Missing]) -> bool:
    """Whether no audible amount of sound is missing."""
    return sum(one.seconds for one in missing) <= TOLERATED


def no_sound(name: object) -> AudioError:
    """The error for a file without samples."""
    return AudioError(f"{name} holds no sound: zero samples", "record it again")
