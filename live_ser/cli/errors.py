"""Errors on the command line: one line, what to try, and where the output is."""

from __future__ import annotations

import re
from contextlib import suppress

from live_ser.cli.messages import say
from live_ser.errors import InvalidArgument, LiveSerError, is_full, reason, shortage

# Arguments whose options have other names; all others are --name value.
_OPTIONS = {
    "raw=RawFormat('s16le', rate=8000, channels=1)": "--raw s16le --rate 8000 --channels 1",
    "reconnect=False": "--no-reconnect",
    "sounds=-": "--from -",
    "replay(FILE)": "--from FILE; live-ser listen --or-demo has one",
}
_NAMES = {"output": "-o"}


class UsageError(InvalidArgument):
    """Options exclude each other, or one is missing."""


def exit_code(error: Exception) -> int:
    """2 for wrong usage, 1 for other errors."""
    return 2 if isinstance(error, InvalidArgument) else 1


def in_options(hint: str) -> str:
    """A hint of the library, with options in place of its arguments.

    Examples:
        >>> in_options("classify what there is: `partial=True`")
        'classify what there is: --partial'
        >>> in_options("leave out `track`, or take `channel=2`")
        'leave out --track, or take --channel 2'
    """
    return re.sub(r"`([^`]*)`", _option, hint)


def _option(argument: re.Match[str]) -> str:
    text = argument[1]
    if text in _OPTIONS or (not text.replace("_", "").isidentifier() and "=" not in text):
        return _OPTIONS.get(text, text)  # a command
    name, _, value = text.partition("=")
    option = _NAMES.get(name, f"--{name.replace('_', '-')}")
    return option if value in ("", "True") else f"{option} {value}"


def say_failure(error: LiveSerError) -> None:
    """Print why one of several recordings failed."""
    say(f"live-ser: {error.message} ({in_options(error.hint)})")


def say_error(error: Exception, *, verbose: bool) -> None:
    """Print an error in one line, and what to try; with its traceback if ``verbose``."""
    if verbose:
        import traceback

        with suppress(OSError):
            traceback.print_exception(error)
    plain = in_our_words(error)
    say(f"live-ser: {plain.message}")
    if plain.hint:
        say(f"  try: {in_options(plain.hint)}")
    say_whereabouts(error)


def say_whereabouts(error: BaseException) -> None:
    """Print the notes of an exception, such as the path of its output."""
    for note in getattr(error, "__notes__", ()):
        say(note)


def in_our_words(error: Exception) -> LiveSerError:
    """Any exception as a :class:`LiveSerError`."""
    if isinstance(error, LiveSerError):
        return error
    if isinstance(error, ModuleNotFoundError):
        from live_ser.extras import missing_package  # only then: it would slow down the start

        return missing_package(error)
    lacking = shortage(error)
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        tries = lacking.hint if lacking else "see that it is there and yours"
        if is_full(error):
            tries = "make room"
        return LiveSerError(f"cannot read or write{where}: {reason(error)}", tries)
    return lacking or LiveSerError(
        f"{type(error).__name__}: {error}", "the same with -v, and report what it prints"
    )
