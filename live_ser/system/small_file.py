"""Small regular files, read as a whole; not pipes or devices, which need not end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class TooLarge(ValueError):
    """A file is larger than allowed."""


def size_of(path: Path) -> int:
    """The size of a regular file in bytes.

    Raises:
        OSError: it does not exist, or is not a regular file.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    return status.st_size


def read_small(path: Path, max_bytes: int) -> bytes:
    """The content of a regular file.

    Args:
        path: the file.
        max_bytes: maximum size in bytes.

    Raises:
        OSError: it cannot be read, or is not a regular file.
        TooLarge: it is larger.
    """
    if size_of(path) <= max_bytes:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)  # some system files report a size of 0
        if len(data) <= max_bytes:
            return data
    raise TooLarge("it is too large")
