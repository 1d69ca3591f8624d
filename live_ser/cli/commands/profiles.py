"""``live-ser profiles``: list, show, export, import, rename and delete profiles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.cli.options import CommonOptions
from live_ser.cli.profile_files import (
    delete_profile,
    export_profile,
    import_profile,
    profile_content,
    rename_profile,
)
from live_ser.errors import LiveSerError
from live_ser.model.profile_file import folder, profile_path
from live_ser.text import counted, printable

_NAMES = {"list": 0, "show": 1, "export": 2, "import": 2, "rename": 2, "delete": 1}
_USAGE = {
    "show": "live-ser profiles show NAME",
    "export": "live-ser profiles export NAME FILE",
    "import": "live-ser profiles import NAME FILE",
    "rename": "live-ser profiles rename NAME NEW",
    "delete": "live-ser profiles delete NAME",
}


@dataclass(frozen=True)
class Options(CommonOptions):
    """The options of ``live-ser profiles``."""

    action: Literal["list", "show", "export", "import", "rename", "delete"]
    names: list[str]
    force: bool


def run(options: Options) -> int:
    """Do what was asked for; 0, or an error."""
    action, names = options.action, options.names
    if len(names) != _NAMES[action]:
        usage = _USAGE.get(action, "live-ser profiles")
        raise UsageError(f"{action} takes {counted(_NAMES[action], 'name')}", usage)
    if action == "list":
        _list(quiet=options.quiet)
        return 0
    profile = profile_path(names[0])
    if action == "show":
        print("\n".join(_shown(profile)))
        return 0
    if action == "export":
        export_profile(profile, names[1], force=options.force)
        done = f"{names[0]} is exported to {names[1]}"
    elif action == "import":
        import_profile(profile, names[1], force=options.force)
        done = f"{names[0]} is imported from {names[1]}"
    elif action == "rename":
        rename_profile(profile, profile_path(names[1]), force=options.force)
        done = f"{names[0]} is now {names[1]}"
    else:
        delete_profile(profile)
        done = f"{names[0]} is deleted"
    if not options.quiet:
        say(done)
    return 0


def _list(*, quiet: bool) -> None:
    paths = sorted(folder().glob("*.json"))
    for path in paths:
        print(_line(path))
    if not paths and not quiet:
        say("there are no profiles; live-ser teach --profile NAME makes one")


def _line(path: Path) -> str:
    try:
        content = profile_content(path)
    except LiveSerError as error:
        return f"{printable(path.stem)}: {printable(error.message)}"
    takes = content.get("takes", [])
    seconds = f"{float(content['seconds']):.0f} s of speech"
    return f"{printable(path.stem)}: {seconds}, {counted(len(takes), 'take')}"


def _shown(path: Path) -> list[str]:
    content = profile_content(path)
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
