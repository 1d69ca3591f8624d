"""Ctrl-C and its like: asked for at any moment, obeyed where nothing is lost by it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType

_LATER = 0.01  # seconds


@contextmanager
def ending_signals(patience: float | None = None) -> Iterator[Ending]:
    """Ctrl-C, SIGTERM, a closed terminal: tells whether one of them asked to end.

    A second one does not wait for the end to come in order. What whoever started the process has
    ignored stays so, as ``nohup`` wants it.

    Args:
        patience: seconds after which the process ends, whatever stands still in it, once it was
            asked to; None for as long as it takes.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    ending = Ending(patience)
    with _watched(numbers, ending.count_down) if patience is not None else nullcontext():
        before = {number: signal.signal(number, ending.ask) for number in numbers}
        try:
            yield ending
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            ending.came.set()


class Ending:
    """Whether the process was asked to end; call it to know.

    Args:
        patience: seconds that it then has.

    Attributes:
        came: is set when the end came in time.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._is_asked = self._is_counting = False
        self.came = threading.Event()

    def __call__(self) -> bool:
        """Whether it was asked to."""
        return self._is_asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Ask it to end, and the second time not to wait: a signal handler."""
        if self._is_asked:
            interrupt(number, frame)
        self._is_asked = True

    def count_down(self) -> None:
        """End the process when its time is over, unless the end comes before."""
        if self._is_counting or self._patience is None:
            return
        self._is_counting = True
        threading.Thread(target=self._end_late, args=[self._patience], daemon=True).start()

    def _end_late(self, seconds: float) -> None:
        if not self.came.wait(seconds):
            os._exit(1)


@contextmanager
def _watched(numbers: Sequence[int], tell: Callable[[], None]) -> Iterator[None]:
    """Tell when a signal comes, also while the main thread stands in a call of the system.

    There a handler in Python waits until the call comes back; what C writes into a pipe does not.
    """
    if os.name == "nt":
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        while came := os.read(reading, 1):
            if came[0] in numbers:
                tell()
        os.close(reading)

    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)


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


def interrupt_when(ending: Ending) -> Callable[[], None]:
    """What raises ``KeyboardInterrupt`` once the process was asked to end."""

    def look() -> None:
        if ending():
            raise KeyboardInterrupt

    return look
