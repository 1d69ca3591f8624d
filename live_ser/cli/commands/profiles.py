"""``live-ser profiles``: the profiles of speakers, each a small readable file."""

from __future__ import annotations

import os
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

from live_ser.cli.errors import UsageError
from live_ser.durability import OWNER_ONLY
from live_ser.errors import LiveSerError
from live_ser.model.profile import check_name, folder, read_content, write_whole
from live_ser.text import printable

_NAMES = {"list": 0, "show": 1, "export": 2, "import": 2, "rename": 2, "delete": 1}
_USAGE = {
    "show": "live-ser profiles show NAME",
    "export": "live-ser profiles export NAME FILE",
    "import": "live-ser profiles import NAME FILE",
    "rename": "live-ser profiles rename NAME NEW",
    "delete": "live-ser profiles delete NAME",
}


def run(arguments: Namespace) -> int:
    """Do what was asked for; 0, or an error."""
    action, names = arguments.action, arguments.names
    if len(names) != _NAMES[action]:
        usage = _USAGE.get(action, "live-ser profiles")
        raise UsageError(f"{action} takes {_NAMES[action]} names", usage)
    if action == "list":
        for path in sorted(folder().glob("*.json")):
            print(_line(path))
        return 0
    profile = _path(names[0])
    if action == "show":
        print("\n".join(_shown(profile)))
    elif action == "export":
        _export(profile, names[1], force=arguments.force)
    elif action == "import":
        _write(profile, _text(Path(names[1])), force=arguments.force)
    elif action == "rename":
        _rename(profile, _path(names[1]), force=arguments.force)
    else:
        _delete(profile)
    return 0


def _path(name: str) -> Path:
    check_name(name)
    return folder() / f"{name}.json"


def _text(path: Path) -> str:
    """The text of a profile, which is seen to be one.

    Raises:
        LiveSerError: it is none, or cannot be read.
    """
    _content(path)
    return path.read_text("utf-8")


def _content(path: Path) -> dict[str, Any]:
    try:
        return read_content(path)
    except FileNotFoundError:
        raise LiveSerError(
            f"there is no profile {printable(str(path))}", "live-ser profiles lists them"
        ) from None
    except OSError as error:
        raise LiveSerError(f"cannot read {path}: {error.strerror}", "check the name") from error


def _line(path: Path) -> str:
    try:
        content = _content(path)
    except LiveSerError as error:
        return f"{printable(path.stem)}: {printable(error.message)}"
    takes = content.get("takes", [])
    return (
        f"{printable(path.stem)}: {float(content['seconds']):.0f} s of speech, {len(takes)} takes"
    )


def _shown(path: Path) -> list[str]:
    content = _content(path)
    counts = Counter(str(take["emotion"]) for take in content.get("takes", []))
    taught = ", ".join(f"{count} {printable(name)}" for name, count in sorted(counts.items()))
    return [
        f"profile     {printable(path.stem)}",
        f"file        {printable(str(path))}",
        f"updated     {printable(str(content.get('updated', '')))[:40]}",
        f"speech      {float(content['seconds']):.0f} s",
        f"takes       {taught or 'none'}",
        f"model       {printable(str(content['model']))[:40]}",
        "sound       none is kept",
    ]


def _export(profile: Path, name: str, *, force: bool) -> None:
    path = Path(name)
    text = _text(profile)
    if not name or name.endswith(("/", os.sep)) or path.is_dir():
        raise LiveSerError(
            f"{printable(name)!r} is no name for a file", "name a file, not a folder"
        )
    if not path.parent.is_dir():
        raise LiveSerError(f"there is no folder {printable(str(path.parent))}", "make it first")
    _write(path, text, force=force)


def _rename(profile: Path, new: Path, *, force: bool) -> None:
    text = _text(profile)
    if new.exists() and new.samefile(profile):  # by another case, too, where case tells no files
        raise LiveSerError(f"{printable(new.stem)} is that profile already", "take another name")
    _write(new, text, force=force)
    _delete(profile)


def _write(path: Path, text: str, *, force: bool) -> None:
    if path.exists() and not force:
        raise LiveSerError(f"{path} is there already", "--force overwrites it")
    write_whole(path, text, mode=OWNER_ONLY)


def _delete(path: Path) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        raise LiveSerError(
            f"there is no profile {printable(path.stem)}", "live-ser profiles lists them"
        ) from None
    except OSError as error:
        raise LiveSerError(f"cannot delete {path}: {error.strerror}", "check its folder") from error
