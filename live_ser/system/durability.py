"""Files that survive a power cut, are private, and can be locked."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OWNER_ONLY = 0o600  # mode of new files
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


def sync(descriptor: int) -> None:
    """Wait until a file's content is on disk; does nothing for pipes, terminals and devices.

    Raises:
        OSError: the disk failed, and data may be lost.
    """
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return
    try:
        if sys.platform == "darwin":  # where fsync does not flush the disk's own cache
            import fcntl

            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        elif sys.platform == "win32":
            os.fsync(descriptor)
        else:
            os.fdatasync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:  # some network file systems cannot
            raise


def sync_entry(path: Path) -> None:
    """Wait until the directory entries of a new file and of its folder are on disk.

    Raises:
        OSError: the disk failed.
    """
    if sys.platform == "win32":  # folders cannot be opened there
        return
    folder = path.absolute().parent
    for each in (folder, folder.parent):
        try:
            descriptor = os.open(each, os.O_RDONLY)
        except OSError:  # a writable folder need not be readable
            continue
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        finally:
            os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on a folder.

    Args:
        folder: the folder; on Windows, an empty file in it is locked instead, and stays.

    Raises:
        OSError: it cannot be opened.
    """
    if sys.platform == "win32":
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    else:
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems have no locks
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            else:
                import fcntl

                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # which releases the lock
