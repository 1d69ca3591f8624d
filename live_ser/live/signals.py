"""Ctrl-C and other signals to end, handled so that nothing is lost."""

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
    """Handle Ctrl-C, SIGTERM and a closed terminal as requests to end.

    A second signal ends at once. Signals that are ignored already stay ignored, as with ``nohup``.

    Args:
        patience: seconds after the request at which the process is ended in any case; None for no
            limit.
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
    """Whether the process was asked to end; call it to find out.

    Args:
        patience: seconds that it has to end.

    Attributes:
        came: set when it ended in time.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._is_asked = self._is_counting = False
        self.came = threading.Event()

    def __call__(self) -> bool:
        """Whether it was asked to end."""
        return self._is_asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: request the end, and the second time interrupt."""
        if self._is_asked:
            interrupt(number, frame)
        self._is_asked = True

    def count_down(self) -> None:
        """End the process after ``patience``, unless it ends before."""
        if self._is_counting or self._patience is None:
            return
        self._is_counting = True
        threading.Thread(target=self._end_late, args=[self._patience], daemon=True).start()

    def _end_late(self, seconds: float) -> None:
        if not self.came.wait(seconds):
            os._exit(1)


@contextmanager
def _watched(numbers: Sequence[int], act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` on a signal, even while the main thread blocks in a system call.

    A handler in Python runs only after the call; the byte that C writes to a pipe comes at once.
    """
    if os.name == "nt":
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        while came := os.read(reading, 1):
            if came[0] in numbers:
                act()
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
    """Raise ``KeyboardInterrupt`` on Ctrl-C, but not where the exception would be lost.

    Another handler of the caller stays.
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
    """Signal handler: raise ``KeyboardInterrupt``, now or as soon as possible."""
    if _is_fragile(frame):
        again = threading.Timer(_LATER, signal.raise_signal, [number])
        again.daemon = True
        again.start()
    else:
        raise KeyboardInterrupt


def _is_fragile(frame: FrameType | None) -> bool:
    """Whether an exception would be lost here.

    Native modules turn any exception during import into an import error, and libsndfile swallows
    those in its callbacks and takes the file for a shorter one.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib") or code.co_name.startswith("vio_"):
            return True
        frame = frame.f_back
    return False


def interrupt_when(ending: Ending) -> Callable[[], None]:
    """A function that raises ``KeyboardInterrupt`` once the process was asked to end."""

    def look() -> None:
        if ending():
            raise KeyboardInterrupt

    return look
