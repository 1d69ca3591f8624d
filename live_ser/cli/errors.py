"""Errors as people see them: one line, what to try, and where to find what was written."""

from __future__ import annotations

import errno
from contextlib import suppress

from live_ser.cli.messages import say
from live_ser.errors import LiveSerError


def say_error(error: Exception, *, verbose: bool) -> None:
    """Print an error in one line, and what to try; with its traceback if ``verbose``."""
    if verbose:
        import traceback

        with suppress(OSError):
            traceback.print_exception(error)
    plain = in_our_words(error)
    say(f"live-ser: {plain.message}")
    if plain.hint:
        say(f"  try: {plain.hint}")
    say_whereabouts(error)


def say_whereabouts(error: BaseException) -> None:
    """Print where to find what was on its way when it ended: the notes of the exception."""
    for note in getattr(error, "__notes__", ()):
        say(note)


def in_our_words(error: Exception) -> LiveSerError:
    """Any error as one of ours, which has a message, a hint and an exit code."""
    if isinstance(error, LiveSerError):
        return error
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        tries = "make room" if error.errno == errno.ENOSPC else "see that it is there and yours"
        return LiveSerError(f"cannot read or write{where}: {error.strerror or error}", tries)
    return LiveSerError(
        f"{type(error).__name__}: {error}", "the same with -v, and report what it prints"
    )
