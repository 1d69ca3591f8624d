"""Prefetching: what comes next is made by another thread while this one works."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")

_MOST = 16  # items that wait
_LOOK_EVERY = 0.1  # seconds, after which it is seen whether they are still wanted


@dataclass(frozen=True)
class _End:
    """No more items, because of an error or because that is all."""

    error: BaseException | None


def prefetch(items: Iterable[T]) -> Generator[T, None, None]:
    """The same items, made by a thread of their own, a few of them ahead.

    What raises there raises here. Close the generator to end the thread before its time.
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
