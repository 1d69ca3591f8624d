"""Sound in blocks: what every source gives, and what sources share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""``[n]``, or ``[n, channels]`` where each is classified separately; full scale at 1."""


HEARTBEAT = 0.1  # seconds after which a source says that time goes by
AGAIN = "begins again"  # the reason of a gap before which somebody else spoke
NOTHING: Samples = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Gap:
    """A stretch of time that was not heard.

    Attributes:
        seconds: how long it was.
        reason: why: ``nothing came``, ``overflow``, ``microphone gone``, ``paused``, or ``begins
            again`` where a recording does.
    """

    seconds: float
    reason: str


# n may be 0, which says that time goes by although nothing comes.
Block = Samples | Gap


@dataclass(frozen=True)
class Voice:
    """Who is classified separately: the channel that they are heard in, and their name.

    Attributes:
        channel: from 1; None where several speak in one.
        speaker: what they are called; None where nobody says it.
    """

    channel: int | None = None
    speaker: str | None = None

    @property
    def name(self) -> str:
        """What to call them; empty where there is but one voice."""
        return self.speaker or ("" if self.channel is None else f"channel {self.channel}")


class Source(Protocol):
    """Sound as it comes.

    Attributes:
        name: what to call it.
        native_rate: of the device or file, in Hz, before resampling.
        overflows: how often sound was lost because nobody took it in time.
        backlog: seconds of sound that wait to be taken.
        behind: seconds from the newest sound that was given to what is heard now.
        message: what the user should know of it now; empty where all is well.
        notes: what the user should know once; more may come while it is iterated over.
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
    """Sleep, but say now and then that time goes by."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, HEARTBEAT))
        yield NOTHING
