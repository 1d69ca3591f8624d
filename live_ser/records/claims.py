"""Checks that no output of a command is one of its inputs, or another output."""

from __future__ import annotations

import io
import os
import stat
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import IO

from live_ser.errors import InvalidArgument

_Key = tuple[object, ...]


class Claims:
    """The inputs and outputs of a command, compared as files.

    Two names are the same file if they resolve to it through links; names of new files, if they
    are equal on a case-insensitive file system. State all inputs first, then the outputs, before
    creating any file.
    """

    def __init__(self) -> None:
        self._read: dict[_Key, str] = {}
        self._folders: dict[_Key, str] = {}
        self._written: dict[_Key, str] = {}

    def read(self, path: str | Path, name: str | None = None) -> None:
        """State an input; ``name`` is for messages, None for its path."""
        if (key := _key(path)) is not None:
            self._read.setdefault(key, name or str(path))

    def read_stream(self, stream: IO[str], name: str) -> None:
        """State an input that is open already, such as standard input."""
        if (key := _key_of_stream(stream)) is not None:
            self._read.setdefault(key, name)

    def read_folder(self, path: str | Path) -> None:
        """State a folder all of which may be read: outputs must not be in it."""
        if (key := _key(path)) is not None:
            self._folders.setdefault(key, str(path))

    def write(self, path: str | Path) -> None:
        """State an output.

        Raises:
            InvalidArgument: it is an input, or another output.
        """
        key = _key(path)
        self._claim(key, str(path))
        place = Path(os.path.realpath(path))
        for folder in (place, *place.parents) if self._folders else ():
            if (read := self._folders.get(_key(folder) or ())) is not None:
                raise InvalidArgument(f"{path} lies in {read}, which is read", "name another place")

    def write_stream(self, stream: IO[str], name: str) -> None:
        """State an output that is open already, such as standard output.

        Raises:
            InvalidArgument: it is an input, or another output.
        """
        self._claim(_key_of_stream(stream), name)

    def _claim(self, key: _Key | None, name: str) -> None:
        if key is None:
            return
        if (read := self._read.get(key)) is not None:
            same = "" if read == name else f" as {read}"
            raise InvalidArgument(
                f"{name} is read{same}: it cannot be written as well",
                "write to another file",
            )
        if (other := self._written.get(key)) is not None:
            both = f"{name} and {other} are one file" if name != other else f"{name} is named twice"
            raise InvalidArgument(f"{both}: two outputs cannot share it", "name two files")
        self._written[key] = name


def _key(path: str | Path) -> _Key | None:
    """The identity of a file; None for what cannot be overwritten."""
    try:
        return _key_of(os.stat(path), path)
    except OSError:
        return _key_of_name(path)
    except ValueError:  # an invalid name
        return None


def _key_of(status: os.stat_result, path: str | Path) -> _Key | None:
    if stat.S_ISCHR(status.st_mode):  # such as /dev/null and terminals
        return None
    if not status.st_ino:  # some file systems have no inode numbers
        return (os.path.normcase(os.path.realpath(path)),)
    return (status.st_dev, status.st_ino)


def _key_of_name(path: str | Path) -> _Key:
    """The identity of a missing file: the nearest existing folder, and the names below."""
    place = os.path.realpath(path)
    names: list[str] = []
    while not os.path.exists(place) and os.path.dirname(place) != place:
        names.insert(0, unicodedata.normalize("NFC", os.path.basename(place)).casefold())
        place = os.path.dirname(place)
    return (*(_key(place) or ()), *names)


def _key_of_stream(stream: IO[str]) -> _Key | None:
    """The identity of a stream that is a file; None for pipes and terminals."""
    with suppress(OSError, ValueError, io.UnsupportedOperation):
        status = os.fstat(stream.fileno())
        if stat.S_ISREG(status.st_mode):
            return _key_of(status, "")
    return None
