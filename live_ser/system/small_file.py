"""Small files that are read whole: a pipe or a device, whose reading need not end, is none."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class TooLarge(ValueError):
    """A file that is larger than such a file can be."""


def size_of(path: Path) -> int:
    """How many bytes a file has.

    Raises:
        OSError: it is not there, or no file.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    return status.st_size


def read_small(path: Path, most: int) -> bytes:
    """What a file holds.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        OSError: it cannot be read, or is no file.
        TooLarge: it has more bytes.
    """
    if size_of(path) <= most:
        with path.open("rb") as file:
            data = file.read(most + 1)  # some files of the system do not tell their size
        if len(data) <= most:
            return data
    raise TooLarge("it is too large")
