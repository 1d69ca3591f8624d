"""Key presses from the terminal, without blocking."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

NO_KEY = ""
REDRAW = "\f"  # Ctrl-L
SUSPEND = "\x1a"  # Ctrl-Z
ESCAPE = "\x1b"


@contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Yield a function that returns the key that was pressed, or ``NO_KEY``.

    It always returns ``NO_KEY`` without a terminal on standard input, and in the background.
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
        if _in_background(terminal):  # using it would stop the process
            yield lambda: NO_KEY
            return
        keyboard = _Keyboard(terminal)
        with ExitStack() as stack:
            stack.callback(termios.tcsetattr, terminal, termios.TCSADRAIN, keyboard.before)
            keyboard.take()
            # After a stop, the shell has reset the terminal, and written to it.
            stack.enter_context(_handled(signal.SIGCONT, keyboard.resume))
            stack.enter_context(_handled(signal.SIGTSTP, keyboard.suspend))
            yield keyboard

    class _Keyboard:
        """The keys of a terminal; call it for the last one.

        On Ctrl-Z it returns ``SUSPEND``, so that the screen can be restored, and stops the process
        at the next call.
        """

        def __init__(self, terminal: int) -> None:
            self.before = termios.tcgetattr(terminal)
            self._terminal = terminal
            self._is_asked_to_stop = self._stops_next = self._is_resumed = False

        def __call__(self) -> str:
            if self._is_asked_to_stop:
                self._is_asked_to_stop, self._stops_next = False, True
                return SUSPEND
            if self._stops_next:
                self._stops_next = False
                self._stop()
            if _in_background(self._terminal):
                return NO_KEY
            if self._is_resumed:
                self._is_resumed = False
                self.take()
                return REDRAW
            return _posix_key(self._terminal)

        def _stop(self) -> None:
            """Stop until the shell continues the process; return at once without a shell."""
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, self.before)
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, self.suspend)
            self._is_resumed = True

        def take(self) -> None:
            """Read keys without Enter."""
            tty.setcbreak(self._terminal, termios.TCSANOW)

        def suspend(self, *_: object) -> None:
            """Signal handler of Ctrl-Z."""
            self._is_asked_to_stop = True

        def resume(self, *_: object) -> None:
            """Signal handler after a stop."""
            self._is_resumed = True

    @contextmanager
    def _handled(number: signal.Signals, handler: Callable[..., None]) -> Iterator[None]:
        """Handle a signal, unless it is ignored already."""
        if signal.getsignal(number) is signal.SIG_IGN:
            yield
            return
        before = signal.signal(number, handler)
        try:
            yield
        finally:
            signal.signal(number, before)

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
            if key == b"\x1b":  # an escape sequence, such as an arrow key: read the rest
                if select.select([terminal], [], [], 0)[0]:
                    os.read(terminal, 16)
                    return NO_KEY
                return ESCAPE
        except OSError:  # the terminal was closed
            return NO_KEY
        return key.decode("ascii", "ignore")
