"""Work in threads that may get stuck, with deadlines."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def beside(work: Callable[[], object], name: str | None = None) -> threading.Thread:
    """Do work in a daemon thread."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    _threads.add(thread)
    return thread


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Do work in a thread, and wait for it with a deadline.

    If no more threads can be started, it is done here, without a deadline.

    Returns:
        Whether it finished in time; if not, it continues in its thread.
    """
    try:
        thread = beside(work)
    except RuntimeError:
        work()
        return True
    thread.join(seconds)
    return not thread.is_alive()


def stuck() -> bool:
    """Whether such a thread is still running.

    It may hold the lock of a standard stream, and then Python cannot exit normally.
    """
    return any(thread.is_alive() for thread in list(_threads))
