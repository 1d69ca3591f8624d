"""Threads that classify for many streams; those in real time come first."""

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

_FORGETTING = 10.0  # seconds after which a delay counts for 1/e
_NEWEST = 0.1  # what the newest delay counts for


@dataclass(eq=False)
class _Job:
    """Work that waits for a thread.

    Attributes:
        work: what is to be done.
        result: takes what comes of it, in the event loop that waits for it.
        since: when it began to wait.
    """

    work: Callable[[], Any]
    result: asyncio.Future[Any]
    since: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Do it, unless nobody waits any more."""
        if self.result.cancelled():
            return
        try:
            take, value = self.result.set_result, self.work()
        except BaseException as error:  # for who waits
            take, value = self.result.set_exception, error
        with suppress(RuntimeError):  # the event loop has ended
            self.result.get_loop().call_soon_threadsafe(self._tell, take, value)

    def _tell(self, take: Callable[[Any], None], value: Any) -> None:
        if not self.result.done():
            take(value)


class Workers:
    """Threads that take turns at what waits.

    Urgent work is done first, in its order. Of the rest, one job runs at a time, so that urgent
    work finds a thread.

    Args:
        count: of threads.
        name: of the threads.
    """

    def __init__(self, count: int, name: str) -> None:
        self._urgent: deque[_Job] = deque()
        self._patient: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._patient_runs = self._closed = False
        self._delay = (0.0, time.monotonic())  # an average, and when it was taken
        for number in range(count):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    @property
    def delay(self) -> float:
        """Seconds that urgent work waits for a thread, on average of the last few seconds."""
        delay, at = self._delay
        return delay * math.exp((at - time.monotonic()) / _FORGETTING)

    async def run(self, work: Callable[[], T], *, urgent: bool = True) -> T:
        """Do something that blocks, and wait for its result.

        Args:
            work: what is to be done.
            urgent: whether it goes before all that is not.
        """
        job = _Job(work, asyncio.get_running_loop().create_future())
        with self._changed:
            (self._urgent if urgent else self._patient).append(job)
            self._changed.notify()
        result: T = await job.result
        return result

    def close(self) -> None:
        """End the threads once they have done what waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (next_one := self._next()) is not None:
            job, is_urgent = next_one
            job.run()
            del job, next_one  # and with them what they hold, while nothing waits
            if not is_urgent:
                with self._changed:
                    self._patient_runs = False
                    self._changed.notify()

    def _next(self) -> tuple[_Job, bool] | None:
        """The next job, once there is one, and whether it is urgent; None at the end."""
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
        delay = self.delay
        self._delay = delay + _NEWEST * (seconds - delay), time.monotonic()
