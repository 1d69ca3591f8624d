"""A measure of how late a busy machine wakes this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_HEARTBEAT = 0.01  # seconds


@dataclass
class Starvation:
    """Delays of a thread that sleeps for a hundredth of a second at a time.

    Attributes:
        worst: longest delay so far, in seconds.
    """

    worst: float = 0.0


@contextmanager
def starvation() -> Iterator[Starvation]:
    """Measure how late a sleeping thread is woken during the ``with`` block."""
    seen, over = Starvation(), threading.Event()

    def beat() -> None:
        due = time.monotonic() + _HEARTBEAT
        while not over.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            seen.worst = max(seen.worst, now - due)
            due = now + _HEARTBEAT

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
