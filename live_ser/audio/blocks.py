"""Blocks of sound, gaps between them, and the protocol of sources."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""``[n]``, or ``[n, channels]`` where each is classified separately; full scale at 1."""

Interleaved = NDArray[np.float32]
"""``[n, channels]``, as devices and decoders give them; full scale at 1."""

HEARTBEAT = 0.1  # seconds after which a source yields an empty block if no sound comes
AGAIN = "begins again"  # reason of a gap that separates two speakers
NOTHING: Samples = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Gap:
    """A stretch of time without sound.

    Attributes:
        seconds: how long it was.
        reason: ``nothing came``, ``overflow``, ``microphone gone``, ``paused``, or ``begins
            again`` where a recording does.
    """

    seconds: float
    reason: str


# An empty block means that time has passed without sound.
Block = Samples | Gap


@dataclass(frozen=True)
class Voice:
    """A voice that is classified separately: its channel, and the name of its speaker.

    Attributes:
        channel: number of the channel, from 1; None for speakers who share one.
        speaker: name of the speaker; None if unknown.
    """

    channel: int | None = None
    speaker: str | None = None

    @property
    def name(self) -> str:
        """The speaker or the channel in words; empty for a single voice."""
        return self.speaker or ("" if self.channel is None else f"channel {self.channel}")


class Source(Protocol):
    """A source of live sound: an iterable of blocks.

    Attributes:
        name: name to show.
        native_rate: sample rate of the device or file in Hz, before resampling.
        overflows: number of times that sound was lost because it was not read in time.
        backlog: seconds of sound that wait to be read.
        behind: seconds from the newest sound that was yielded to now.
        message: current problem, for the user; empty if there is none.
        notes: warnings for the user; there may be more after iteration.
        voices: the channels of blocks ``[n, channels]``, each classified separately; none for mono
            blocks.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def native_rate(self) -> int: ...  # noqa: D102

    @property
    def overflows(self) -> int: ...  # noqa: D102

    @property
    def backlog(self) -> float: ...  # noqa: D102

    @property
    def behind(self) -> float: ...  # noqa: D102

    @property
    def message(self) -> str: ...  # noqa: D102

    @property
    def notes(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def voices(self) -> Sequence[Voice]: ...  # noqa: D102

    def __iter__(self) -> Iterator[Block]: ...


def wait_until(moment: float) -> Iterator[Samples]:
    """Sleep until a monotonic time, and yield empty blocks meanwhile."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, HEARTBEAT))
        yield NOTHING
