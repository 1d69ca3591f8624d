"""A new file, which replaces an old one only when it is complete."""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from live_ser.errors import OutputError, unwritable
from live_ser.system.durability import OWNER_ONLY, sync, sync_entry

Mode = Literal["new", "overwrite", "append"]
"""What to do if the file exists: refuse, replace, or append."""

_BINARY: int = getattr(os, "O_BINARY", 0)
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY
_STEM = 50  # characters of a name in the temporary name


class NewFile:
    """A new file, written under a temporary name if another file has its name.

    It ends in one of three ways: :meth:`finish` gives it its name, :meth:`leave` keeps it under the
    temporary name, and :meth:`drop` removes it. As a context manager it is finished, or dropped
    after an exception.

    Args:
        path: path of the file; a symbolic link is followed.
        mode: ``new`` refuses an existing file, ``append`` adds to it in place, ``overwrite``
            replaces it when the new file is finished, with its permissions and its owner.
        grows: whether the file is usable before it is complete. If so, and if there is no other
            file, it has its name from the start.

    Attributes:
        raw: the file, unbuffered, writable and readable.
        replaces: whether another file has the name.

    Raises:
        OutputError: the file exists and the mode is ``new``, or it cannot be created.
    """

    def __init__(self, path: str | Path, *, mode: Mode = "new", grows: bool = False) -> None:
        self._path = Path(path)
        self._name = Path(os.path.realpath(path))
        self._temporary: Path | None = None
        self._grows = grows
        self._is_synced = False
        try:
            existing = self._path.stat() if self._path.exists() else None
            appends = mode == "append"
            self.replaces = existing is not None and stat.S_ISREG(existing.st_mode) and not appends
            is_dangling_link = existing is None and self._path.is_symlink()
            if (self.replaces or is_dangling_link) and mode != "overwrite":
                raise FileExistsError
            if existing is not None and stat.S_ISBLK(existing.st_mode):
                raise OSError(errno.EINVAL, "it is a disk")
            if self.replaces or (existing is None and not (grows or appends)):
                self.raw = self._open_temporary(existing)
            elif existing is None:
                self.raw = Raw(_create(self._name), "r+")
            else:
                self.raw = _open_to_append(self._name, existing)
            self.raw.path = str(path)
        except FileExistsError as error:
            raise self._exists_error() from error
        except OSError as error:
            raise unwritable(path, error) from error

    def sync(self) -> None:
        """Sync the content to disk, and the name, if it has it.

        Raises:
            OSError: the disk failed.
        """
        sync(self.raw.fileno())
        if not self._is_synced:
            sync_entry(self._temporary or self._name)
        self._is_synced = self.raw.synced = True

    def finish(self) -> None:
        """Close the file and give it its name, unless writing failed.

        Raises:
            OutputError: it cannot be renamed; it keeps the temporary name.
        """
        if self._temporary is None or self.raw.failure:
            self._close()
            return
        try:
            self.raw.close()
            if self.replaces:
                os.replace(self._temporary, self._name)
            else:
                _rename_to_free(self._temporary, self._name)
        except FileExistsError as error:  # since the start
            raise self._exists_error() from error
        except OSError as error:
            raise OutputError(
                f"cannot put {self._path} in its place: {error.strerror}", f"see {self._temporary}"
            ) from error
        self._temporary = None
        if self._is_synced:
            with suppress(OSError):  # it exists, if perhaps not on disk
                sync_entry(self._name)

    def leave(self, error: BaseException) -> None:
        """Close the file and keep it under its temporary name.

        Args:
            error: the reason; the place of the file is added to it as a note.
        """
        self._close(keep=True)
        if self._temporary is not None:
            error.add_note(f"{self._path} is as it was; what was written is in {self._temporary}")

    def drop(self) -> None:
        """Close the file and remove it, unless it had its name from the start."""
        self._close(keep=False)

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.drop()

    def _open_temporary(self, existing: os.stat_result | None) -> Raw:
        number = 1
        while True:
            part = "part" if number == 1 else f"part-{number}"
            temporary = self._name.with_name(
                f"{self._name.stem[:_STEM]}.{part}{self._name.suffix[:_STEM]}"
            )
            try:
                raw = Raw(_create(temporary), "r+")
            except FileExistsError:  # another process uses it, or was killed
                number += 1
                continue
            self._temporary = temporary
            if existing is not None:
                raw.copy_permissions(existing)
            return raw

    def _close(self, keep: bool | None = None) -> None:
        with suppress(OSError):
            self.raw.close()
        if self._temporary is not None and not (self._grows if keep is None else keep):
            with suppress(OSError):
                self._temporary.unlink()
            self._temporary = None

    def _exists_error(self) -> OutputError:
        return OutputError(
            f"{self._path} is there already", "take another name, or overwrite it: `force=True`"
        )


class Raw(io.FileIO):
    """An unbuffered file that stores its first error.

    Attributes:
        failure: the first error.
        path: the name that errors give the file.
        synced: whether to sync it to disk when it is closed.
    """

    failure: OSError | None = None
    path: str | None = None
    synced = False

    def copy_permissions(self, existing: os.stat_result) -> None:
        """Copy mode and owner of the file that this one replaces."""
        self.synced = True  # or a power cut could leave the name without the content
        if hasattr(os, "fchown"):
            with suppress(OSError):  # only root can change the owner
                os.fchown(self.fileno(), existing.st_uid, existing.st_gid)
            os.fchmod(self.fileno(), stat.S_IMODE(existing.st_mode))

    def write(self, data: Any) -> int:
        """Write bytes, perhaps not all; return how many.

        Raises:
            OSError: writing failed.
        """
        try:
            return super().write(data)
        except OSError as error:
            self._fail(error)
            raise

    def close(self) -> None:
        """Close the file.

        Raises:
            OSError: the content could not be synced to disk.
        """
        if self.closed:
            return
        try:
            if self.synced:
                sync(self.fileno())
        except OSError as error:
            self._fail(error)
            raise
        finally:
            super().close()

    def _fail(self, error: OSError) -> None:
        error.filename = error.filename or self.path
        self.failure = self.failure or error


def _create(path: Path) -> int:
    """Create a file that only its owner can read, independently of the umask."""
    descriptor = os.open(path, _NEW, OWNER_ONLY)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, OWNER_ONLY)
    return descriptor


def _open_to_append(path: Path, existing: os.stat_result) -> Raw:
    """Open an existing file to append; devices and pipes for writing."""
    if stat.S_ISFIFO(existing.st_mode):
        return Raw(os.open(path, os.O_WRONLY | _BINARY), "w")
    return Raw(os.open(path, os.O_RDWR | _BINARY), "r+")


def _rename_to_free(path: Path, name: Path) -> None:
    """Rename a file; fail if another file has the name."""
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:  # no hard links on this file system
        if name.exists():
            raise FileExistsError from None
        os.rename(path, name)
    else:
        path.unlink()
