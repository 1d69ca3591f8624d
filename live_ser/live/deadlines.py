"""Threads that may stand still, and are not waited for then."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def beside(work: Callable[[], object], name: str | None = None) -> threading.Thread:
    """Do something in a thread that does not keep the process from ending."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    _threads.add(thread)
    thread.start()
    return thread


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Do something that may stand still for ever, and wait no longer than this for it.

    Returns:
        Whether it was done in time; else it goes on in its thread.
    """
    thread = beside(work)
    thread.join(seconds)
    return not thread.is_alive()


def stuck() -> bool:
    """Whether something that was begun beside is not done.

    It may hold the lock of a standard stream: then Python cannot end in its ordinary way.
    """
    return any(thread.is_alive() for thread in list(_threads))
