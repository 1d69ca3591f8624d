"""Single keys from the terminal, without waiting for any."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

NO_KEY = ""
REDRAW = "\f"  # Ctrl-L


@contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Tells, each time it is asked, which key was pressed; ``NO_KEY`` if none was.

    Without a terminal on standard input, or in the background, none ever is.
    """
    if not sys.stdin or sys.stdin.closed or not sys.stdin.isatty():
        yield lambda: NO_KEY
    elif sys.platform == "win32":
        yield _windows_key
    else:
        with _posix_keys() as key:
            yield key


if sys.platform == "win32":
    import msvcrt

    def _windows_key() -> str:
        if not msvcrt.kbhit():
            return NO_KEY
        key = msvcrt.getwch()
        if key in "\x00\xe0":  # a function key: its second half says which
            msvcrt.getwch()
            return NO_KEY
        return key

else:
    import select
    import signal
    import termios
    import tty

    @contextmanager
    def _posix_keys() -> Iterator[Callable[[], str]]:
        terminal = sys.stdin.fileno()
        if _in_background(terminal):  # touching it would stop us
            yield lambda: NO_KEY
            return
        before = termios.tcgetattr(terminal)

        resumed = False

        def take() -> None:
            if not _in_background(terminal):
                tty.setcbreak(terminal, termios.TCSANOW)

        def resume(*_: object) -> None:
            nonlocal resumed
            resumed = True
            take()

        def key() -> str:
            nonlocal resumed
            if resumed:
                resumed = False
                return REDRAW
            return _posix_key(terminal)

        take()
        # After Ctrl-Z and fg the shell has put the terminal back to whole lines and written on it.
        handler = signal.signal(signal.SIGCONT, resume)
        try:
            yield key
        finally:
            signal.signal(signal.SIGCONT, handler)
            with suppress(termios.error):  # the terminal was closed
                termios.tcflow(terminal, termios.TCOON)  # Ctrl-S must not keep it from ending
                termios.tcsetattr(terminal, termios.TCSANOW, before)

    def _in_background(terminal: int) -> bool:
        try:
            return os.tcgetpgrp(terminal) != os.getpgrp()
        except OSError:  # it does not control this process, and has no foreground to us
            return False

    def _posix_key(terminal: int) -> str:
        try:
            if not select.select([terminal], [], [], 0)[0]:
                return NO_KEY
            key = os.read(terminal, 1)
            if key == b"\x1b":  # arrows and the like: the rest of it is no key of its own
                if select.select([terminal], [], [], 0)[0]:
                    os.read(terminal, 16)
                return NO_KEY
        except OSError:  # the terminal was closed
            return NO_KEY
        return key.decode("ascii", "ignore")
