"""Ctrl-C and its like: asked for at any moment, obeyed where nothing is lost by it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_LATER = 0.01  # seconds


@contextmanager
def ending_signals() -> Iterator[Callable[[], bool]]:
    """Ctrl-C, SIGTERM, a closed terminal: tells whether one of them asked to end.

    A second one does not wait for the end to come in order.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            interrupt(number, frame)
        asked = True

    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def gentle_interrupts() -> Iterator[None]:
    """Ctrl-C is ``KeyboardInterrupt``, but never where that would come out as something else.

    Where the caller has Ctrl-C ignored or handled otherwise, it stays so.
    """
    usual = (signal.default_int_handler, signal.SIG_DFL)
    before = signal.getsignal(signal.SIGINT)
    if before not in usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise ``KeyboardInterrupt``, now or as soon as it can be: a signal handler."""
    if _is_fragile(frame):
        again = threading.Timer(_LATER, signal.raise_signal, [number])
        again.daemon = True
        again.start()
    else:
        raise KeyboardInterrupt


def _is_fragile(frame: FrameType | None) -> bool:
    """Whether an exception would be lost here.

    Native modules report whatever their import raises as a failed import, and libsndfile's reads,
    which come back into Python, swallow it and take the file for a shorter one.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib") or code.co_name.startswith("vio_"):
            return True
        frame = frame.f_back
    return False
