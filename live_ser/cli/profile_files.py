"""Read, export, import, rename and delete the files of profiles."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from live_ser.errors import LiveSerError, unreadable
from live_ser.model.profile_file import alone, folder, read_content, write_whole
from live_ser.system.durability import OWNER_ONLY
from live_ser.text import printable


def profile_content(path: Path) -> dict[str, Any]:
    """The checked content of a profile.

    Raises:
        LiveSerError: it is not a profile, or cannot be read.
    """
    try:
        return read_content(path)
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        raise unreadable(path, error, LiveSerError) from error


def export_profile(profile: Path, name: str, *, force: bool) -> None:
    """Copy a profile to a file.

    Raises:
        LiveSerError: there is no such profile, or the file cannot be written.
    """
    path = Path(name)
    text = _text(profile)
    is_other = path.exists() and not path.is_file()  # a folder, or a device
    if name.endswith(("/", os.sep)) or is_other:
        raise LiveSerError(
            f"{printable(name)!r} is no name for a file", "name a file, not a folder"
        )
    if not path.parent.is_dir():
        raise LiveSerError(f"there is no folder {printable(str(path.parent))}", "make it first")
    _write(path, text, force=force)


def import_profile(profile: Path, name: str, *, force: bool) -> None:
    """Copy a file to a profile.

    Raises:
        LiveSerError: the file is not a profile, or the profile cannot be written.
    """
    if not Path(name).exists():
        raise LiveSerError(f"there is no file {printable(name)}", "check the name")
    text = _text(Path(name))
    with alone(profile):
        _write(profile, text, force=force)


def rename_profile(profile: Path, new: Path, *, force: bool) -> None:
    """Rename a profile.

    Raises:
        LiveSerError: there is no such profile, or the new name is taken.
    """
    with alone(profile):
        text = _text(profile)
        if new.exists() and new.samefile(profile):  # also on case-insensitive file systems
            known = printable(new.stem)
            raise LiveSerError(f"{known} is that profile already", "take another name")
        _write(new, text, force=force)
        _unlink(profile)


def delete_profile(path: Path) -> None:
    """Delete a profile.

    Raises:
        LiveSerError: there is no such profile, or it cannot be deleted.
    """
    with alone(path):
        _unlink(path)


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        raise LiveSerError(f"cannot delete {path}: {error.strerror}", "check its folder") from error


def _write(path: Path, text: str, *, force: bool) -> None:
    if path.exists() and not force:
        raise LiveSerError(f"{path} is there already", "--force overwrites it")
    write_whole(path, text, mode=OWNER_ONLY)


def _text(path: Path) -> str:
    """The text of a profile."""
    profile_content(path)
    return path.read_text("utf-8")


def _missing(path: Path) -> LiveSerError:
    name = path.stem if path.parent == folder() else str(path)
    return LiveSerError(f"there is no profile {printable(name)}", "live-ser profiles lists them")
