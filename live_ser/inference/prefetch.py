"""Prefetching: an iterable is consumed ahead, in another thread."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")

_MOST = 16  # items in the queue
_LOOK_EVERY = 0.1  # seconds between checks whether items are still wanted


@dataclass(frozen=True)
class _End:
    """The end of the items, and the error that ended them, if any."""

    error: BaseException | None


def prefetch(items: Iterable[T]) -> Generator[T, None, None]:
    """Yield the same items, produced ahead in another thread.

    An exception there is raised here. Closing the generator ends the thread.
    """
    queue: Queue[T | _End] = Queue(_MOST)
    unwanted = threading.Event()

    def put(item: T | _End) -> bool:
        while not unwanted.is_set():
            try:
                queue.put(item, timeout=_LOOK_EVERY)
            except Full:
                continue
            return True
        return False

    def make() -> None:
        error = None
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as raised:
            error = raised
        put(_End(error))

    thread = threading.Thread(target=make, name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        thread.join()
