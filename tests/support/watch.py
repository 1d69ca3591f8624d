"""What a process takes while it runs, looked at from outside again and again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import psutil

WARM_UP = 900.0  # seconds at most, and a third of the run: drawing fills its caches meanwhile
GROWTH = 1.0  # megabytes an hour after that
SHORT_GROWTH = 4.0  # megabytes in all, in a run that is too short to have warmed up


@dataclass
class Watch:
    """What was seen of a process.

    Attributes:
        name: of the run.
        times: seconds since it began.
        memory: resident megabytes.
        descriptors: files and sockets that were open.
        threads: that ran.
    """

    name: str
    times: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def look(self, process: psutil.Process, since: float) -> None:
        """Write down how it is now."""
        with process.oneshot():
            self.memory.append(process.memory_info().rss / 1e6)
            self.threads.append(process.num_threads())
            self.descriptors.append(process.num_fds())
        self.times.append(time.monotonic() - since)

    @property
    def _settled(self) -> slice:
        first = min(WARM_UP, self.times[-1] / 3)
        return slice(int(np.searchsorted(self.times, first)), None)

    @property
    def growth(self) -> float:
        """Megabytes an hour after the warm-up: of a line through the middle of what was seen."""
        return float(np.polyfit(self.times[self._settled], self.memory[self._settled], 1)[0] * 3600)

    def faults(self) -> list[str]:
        """What grew, in a line each."""
        settled = self._settled
        watched = self.times[-1] - self.times[settled.start]
        most = GROWTH if watched > 2 * WARM_UP else SHORT_GROWTH * 3600 / watched
        faults = []
        if self.growth > most:
            faults.append(f"memory grew by {self.growth:.2f} MB an hour")
        for what, counts in (("descriptors", self.descriptors), ("threads", self.threads)):
            if len(set(counts[settled])) > 1:
                faults.append(f"{what} went from {min(counts[settled])} to {max(counts[settled])}")
        return faults

    def told(self) -> str:
        """What was seen, for people."""
        quarters = [self.memory[len(self.memory) * part // 4] for part in range(4)]
        memory = ", ".join(f"{size:.1f}" for size in (*quarters, self.memory[-1]))
        return (
            f"{self.name}: {self.times[-1]:.0f} s; "
            f"memory {memory} MB by quarters, {self.growth:+.2f} MB an hour; "
            f"{self.descriptors[-1]} descriptors, {self.threads[-1]} threads"
        )
