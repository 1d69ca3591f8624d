"""Temporary folders, and the removal of those that killed processes left behind."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PREFIX = "live-ser-"
_LOCK = "in-use"  # locked while the folder is in use; the system releases it in any case


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A temporary folder, removed at the end of the ``with`` block.

    Folders that killed processes of this user left behind are removed first.
    """
    with ExitStack() as stack:
        name = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(name))
        if sys.platform != "win32":  # where leftovers are not removed
            stack.callback(os.close, _lock(folder))
            stack.callback(_empty, folder)
            _sweep(folder.parent)
        yield folder


def keep_nothing(*variables: str) -> None:
    """Let packages write to a temporary folder rather than to the home folder.

    Matplotlib writes an index of fonts, Keras its settings. Variables that are set stay.

    Args:
        variables: environment variables that name the folder of a package; set them before the
            package is imported.
    """
    for variable in variables:
        if variable not in os.environ:
            kept = ExitStack()
            os.environ[variable] = str(kept.enter_context(temporary_folder()))
            atexit.register(kept.close)


if sys.platform != "win32":
    import fcntl

    def _lock(folder: Path) -> int:
        """Create the lock file of a folder; it gets its name only once it is locked."""
        descriptor = os.open(folder / f"{_LOCK}.new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.rename(folder / f"{_LOCK}.new", folder / _LOCK)
        return descriptor

    def _empty(folder: Path) -> None:
        """Remove all but the lock file, by which the folder is recognised after a kill."""
        with suppress(OSError):
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != _LOCK:
                    path.unlink()

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
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if it is in use
            _empty(folder)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
