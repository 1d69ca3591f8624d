"""The exceptions that live-ser raises.

- LiveSerError
    - InvalidArgument
    - AudioError
    - DeviceError
    - ModelError
    - OutputError
    - MissingExtra
"""

from __future__ import annotations

import errno
import os
from typing import TypeVar


class LiveSerError(Exception):
    """Base class of all exceptions that live-ser raises.

    A hint names arguments between backticks, as Python takes them: ```partial=True```. The command
    line replaces them by its options.

    Args:
        message: one line: what failed, and why.
        hint: one line: what to try; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidArgument(LiveSerError):
    """An argument is invalid, or two arguments exclude each other."""


class AudioError(LiveSerError):
    """A recording cannot be read, is not sound, or is incomplete."""


class DeviceError(LiveSerError):
    """A microphone cannot be found or opened, or was disconnected."""


class ModelError(LiveSerError):
    """A model does not exist, cannot be loaded, or is not compatible."""


class OutputError(LiveSerError):
    """An output cannot be written."""


class MissingExtra(LiveSerError, ImportError):
    """A package that live-ser or one of its extras installs is missing."""


_Kind = TypeVar("_Kind", bound=LiveSerError)

_RIGHTS = errno.EACCES, errno.EPERM
_NO_ROOM = "failed to map segment"  # in memory, for a library
_FULL = errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG


def unreadable(path: str | os.PathLike[str], error: OSError, kind: type[_Kind]) -> _Kind:
    """An error of a kind that says why a file cannot be read, and what to try."""
    hint = "check its rights" if error.errno in _RIGHTS else "check the name"
    if error.errno is None:  # raised by a library that does not understand the content
        hint = "check that it is complete"
    if lacking := shortage(error):
        hint = lacking.hint
    return kind(f"cannot read {os.fspath(path)}: {reason(error)}", hint)


def unwritable(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """An error that says why a file cannot be written, and what to try."""
    hint = "take a folder that exists and is yours"
    if error.errno == errno.ENAMETOOLONG:
        hint = "take a shorter name"
    if is_full(error):
        hint = "make room"
    if lacking := shortage(error):
        hint = lacking.hint
    return OutputError(f"cannot write {os.fspath(path)}: {reason(error)}", hint)


def is_full(error: OSError) -> bool:
    """Whether a disk, or what may be written to it, is full."""
    return error.errno in _FULL


def shortage(error: Exception) -> LiveSerError | None:
    """What there is too little of, and what to try, if an exception says that; else None."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EMFILE, errno.ENFILE):
        return LiveSerError(
            "too many files are open", "close some, or allow more: `ulimit -n 1024`"
        )
    if isinstance(error, MemoryError) or number == errno.ENOMEM or _NO_ROOM in str(error):
        return LiveSerError(
            "there is too little memory", "close other programs, or see what `ulimit -v` allows"
        )
    if "can't start new thread" in str(error):
        return LiveSerError(
            "no more threads can be started",
            "close other programs, or see what `ulimit -u` and `ulimit -v` allow",
        )
    return None


def reason(error: OSError) -> str:
    """Why something failed, in one line; some libraries write several."""
    return error.strerror or " ".join(str(error).split())
