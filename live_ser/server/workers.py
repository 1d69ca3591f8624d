"""Threads that classify for many streams; streams in real time have priority."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_DECAY = 10.0  # seconds after which the average delay has decayed to 1/e
_NEWEST = 0.1  # weight of the newest delay in the average


@dataclass(eq=False)
class _Job:
    """Work that waits for a thread.

    Attributes:
        work: blocking function.
        result: future of its result, in the event loop that waits for it.
        since: time at which the job was queued, by ``time.monotonic``.
    """

    work: Callable[[], Any]
    result: asyncio.Future[Any]
    since: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Do the work and set the result, unless the future was cancelled."""
        if self.result.cancelled():
            return
        try:
            settle, value = self.result.set_result, self.work()
        except BaseException as error:  # raised where the result is awaited
            settle, value = self.result.set_exception, error
        with suppress(RuntimeError):  # the event loop has ended
            self.result.get_loop().call_soon_threadsafe(self._settle, settle, value)

    def _settle(self, settle: Callable[[Any], None], value: Any) -> None:
        if not self.result.done():
            settle(value)


class Workers:
    """Threads with a queue of urgent jobs and one of patient jobs.

    Urgent jobs run first, in their order. Only one patient job runs at a time, so that a thread is
    free for urgent ones.

    Args:
        count: number of threads.
        name: start of the names of the threads.
    """

    def __init__(self, count: int, name: str) -> None:
        self._urgent: deque[_Job] = deque()
        self._patient: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._patient_runs = self._closed = False
        self._delay = (0.0, time.monotonic())  # average, and the time of its last update
        for number in range(count):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    @property
    def delay(self) -> float:
        """Mean seconds that urgent jobs waited for a thread during the last few seconds."""
        delay, at = self._delay
        return delay * math.exp((at - time.monotonic()) / _DECAY)

    async def run(self, work: Callable[[], T], *, urgent: bool = True) -> T:
        """Run a blocking function in a thread, and wait for its result.

        Args:
            work: function to run.
            urgent: whether it runs before all jobs that are not urgent.
        """
        job = _Job(work, asyncio.get_running_loop().create_future())
        with self._changed:
            (self._urgent if urgent else self._patient).append(job)
            self._changed.notify()
        result: T = await job.result
        return result

    def close(self) -> None:
        """End the threads once the queues are empty."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (next_one := self._next()) is not None:
            job, is_urgent = next_one
            job.run()
            del job, next_one  # an idle thread must not keep their sound in memory
            if not is_urgent:
                with self._changed:
                    self._patient_runs = False
                    self._changed.notify()

    def _next(self) -> tuple[_Job, bool] | None:
        """Wait for the next job; return it and whether it is urgent, or None at the end."""
        with self._changed:
            while True:
                if self._urgent:
                    job = self._urgent.popleft()
                    self._waited(time.monotonic() - job.since)
                    return job, True
                if self._patient and not self._patient_runs:
                    self._patient_runs = True
                    return self._patient.popleft(), False
                if self._closed:
                    return None
                self._changed.wait()

    def _waited(self, seconds: float) -> None:
        """Add the delay of an urgent job to the average."""
        delay = self.delay
        self._delay = delay + _NEWEST * (seconds - delay), time.monotonic()
