"""Temporary folders, and what killed processes left of theirs."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PREFIX = "live-ser-"
_LOCK = "in-use"  # locked for as long as the folder is: the system unlocks it, whatever happens


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is there for as long as the block of ``with`` lasts.

    Those of this user whose process was killed are removed first.
    """
    with ExitStack() as stack:
        name = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(name))
        if sys.platform != "win32":  # where files in use are locked anyway, and not swept here
            stack.callback(os.close, _lock(folder))
            _sweep(folder.parent)
        yield folder


if sys.platform != "win32":
    import fcntl

    def _lock(folder: Path) -> int:
        """Make the lock of a folder; it has its name only once it is locked."""
        descriptor = os.open(folder / f"{_LOCK}.new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.rename(folder / f"{_LOCK}.new", folder / _LOCK)
        return descriptor

    def _sweep(parent: Path) -> None:
        with suppress(OSError):
            for folder in parent.glob(f"{_PREFIX}*"):
                with suppress(OSError):
                    _remove_if_left(folder)

    def _remove_if_left(folder: Path) -> None:
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
            return
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where it is in use
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
