"""Local and remote storage of a cluster's files, by path or by address such as ``s3://bucket``."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

from live_ser.batch.paths import expand_paths, is_sound
from live_ser.errors import LiveSerError, reason


@contextmanager
def opened(address: str) -> Iterator[tuple[Any, str]]:
    """The file system of an address, and the path in it.

    Args:
        address: a path, or an address such as ``s3://bucket/folder``.

    Raises:
        LiveSerError: there is no such file system, or, in the ``with`` block, it fails.
    """
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise LiveSerError(f"{address} cannot be read: {error}", "install that package") from error
    except ValueError as error:
        message = f"{address} is no place for files: {error}"
        raise LiveSerError(message, "name a path, or an address such as s3://BUCKET/") from error
    try:
        yield system, path
    except OSError as error:
        message = f"cannot read or write {address}: {reason(error)}"
        raise LiveSerError(message, "see that it is right, and that every worker may") from error


def expand_sources(
    names: Sequence[str], *, left_alone: Callable[[str], None] = lambda name: None
) -> list[str]:
    """Expand names to files, as absolute paths or addresses.

    Args:
        names: names as for :func:`live_ser.batch.paths.expand_paths`; and addresses of files,
            folders and patterns, such as ``s3://bucket/folder``.
        left_alone: function that is called with each other file in a local folder.

    Raises:
        LiveSerError: a place cannot be read.
    """
    found: list[str] = []
    for name in expand_paths(names, left_alone=left_alone):
        found += _expanded(name) if "://" in name else [os.path.abspath(name)]
    return found


def _expanded(address: str) -> list[str]:
    """The sound files at an address of a file, folder or pattern."""
    with opened(address) as (system, path):
        if any(sign in path for sign in "*?["):
            paths = system.glob(path)
        elif system.isdir(path):
            paths = [path for path in system.find(path) if is_sound(os.path.basename(path))]
        else:
            paths = [path]
        if not paths:
            raise LiveSerError(f"there are no sound files at {address}", "see that it is right")
        return [system.unstrip_protocol(path) for path in sorted(paths)]


@contextmanager
def fetched(source: str, folder: Path) -> Iterator[str]:
    """The local path of a file: its own, or that of a temporary copy.

    Args:
        source: path or address of the file.
        folder: folder for the copy.

    Raises:
        LiveSerError: it cannot be read.
    """
    with opened(source) as (system, path):
        if _is_local(system):
            yield path
            return
        copy = folder / f"sound{os.path.splitext(path)[1]}"
        try:
            system.get_file(path, str(copy))
        except FileNotFoundError as error:
            raise LiveSerError(f"there is no file {source}", "check the name") from error
    try:
        yield str(copy)
    finally:
        copy.unlink(missing_ok=True)


def publish(local: Path, output: str, name: str) -> None:
    """Copy a local file into a folder, whole or not at all.

    Args:
        local: path of the file.
        output: path or address of the folder.
        name: name in the folder.

    Raises:
        LiveSerError: it cannot be written.
    """
    with opened(output) as (system, folder):
        if not _is_local(system):
            system.put_file(str(local), f"{folder}/{name}")  # objects appear once they are whole
            return
        temporary = Path(folder) / f".{name}-{uuid.uuid4().hex}"
        try:
            with local.open("rb") as source, temporary.open("xb") as file:
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(Path(folder) / name)
        finally:
            temporary.unlink(missing_ok=True)


def _is_local(system: Any) -> bool:
    return "file" in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,))
