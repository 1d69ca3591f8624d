"""The memory, descriptors and threads of a process, sampled while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import psutil

WARM_UP = 900.0  # seconds, or a third of a shorter run, in which caches are filled
GROWTH = 1.0  # megabytes per hour after that, at most
SHORT_GROWTH = 4.0  # megabytes in total, at most, in a run that is too short to have warmed up


@dataclass
class Watch:
    """Samples of a process.

    Attributes:
        name: name of the run.
        times: seconds since the start, of each sample.
        memory: resident megabytes.
        descriptors: number of open files and sockets.
        threads: number of threads.
    """

    name: str
    times: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def sample(self, process: psutil.Process, since: float) -> None:
        """Add a sample of a process that was started at ``since``, by ``time.monotonic``."""
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
        """Megabytes per hour after the warm-up, by linear regression."""
        return float(np.polyfit(self.times[self._settled], self.memory[self._settled], 1)[0] * 3600)

    def faults(self) -> list[str]:
        """What has grown, a line each."""
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

    def summary(self) -> str:
        """The samples in a line."""
        quarters = [self.memory[len(self.memory) * part // 4] for part in range(4)]
        memory = ", ".join(f"{size:.1f}" for size in (*quarters, self.memory[-1]))
        return (
            f"{self.name}: {self.times[-1]:.0f} s; "
            f"memory {memory} MB by quarters, {self.growth:+.2f} MB an hour; "
            f"{self.descriptors[-1]} descriptors, {self.threads[-1]} threads"
        )
