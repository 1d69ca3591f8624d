"""Defaults of options that the user sets in the environment or in ``config.toml``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from live_ser.errors import LiveSerError, unreadable

_WORDS = ("device", "model", "profile")
NAMES = (*_WORDS, "hop", "smoothing", "palette")


@dataclass(frozen=True)
class Default:
    """A default of an option.

    Attributes:
        value: the value, as on the command line.
        origin: the environment variable or file that sets it.
    """

    value: str
    origin: str


def defaults() -> dict[str, Default]:
    """The defaults, by the name of the option. The environment takes precedence.

    Raises:
        LiveSerError: the file cannot be read, or is invalid.
    """
    path = config_path()
    found = _of_file(path) if path is not None else {}
    for name in NAMES:
        variable = f"LIVE_SER_{name.upper()}"
        if variable in os.environ:
            found[name] = Default(os.environ[variable], variable)
    return {name: default for name, default in found.items() if default.value}


def note_origins(error: Exception, used: Mapping[str, Default]) -> None:
    """Add notes to an error about the origins of the defaults that it mentions.

    Args:
        error: the error of a command.
        used: the user's defaults that the command has used.
    """
    if not isinstance(error, LiveSerError):
        return
    for name, default in used.items():
        value = rf"(?<!\w){re.escape(default.value)}(?!\w)"
        is_named = name in _WORDS and re.search(value, error.message)
        if is_named or f"`{name}" in error.hint:
            error.add_note(f"{default.origin} sets {name} to {default.value}")


def config_path() -> Path | None:
    """The path of the file; None for a user without a home folder."""
    from platformdirs import user_config_path

    try:
        return user_config_path("live-ser", appauthor=False) / "config.toml"
    except RuntimeError:
        return None


def _of_file(path: Path) -> dict[str, Default]:
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.access(path.parent, os.X_OK):  # the home folder of another user, as under sudo
            return {}
        raise unreadable(path, error, LiveSerError) from error
    import tomllib  # only if there is a file

    try:
        held = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LiveSerError(f"{path} is not TOML: {error}", "mend it, or delete it") from error
    for name, value in held.items():
        if name not in NAMES:
            known = ", ".join(NAMES)
            raise LiveSerError(f"{path} sets {name!r:.40}", f"it can set {known}")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise LiveSerError(f"{path}: {name} is {value!r:.40}", "give a text or a number")
    return {name: Default(str(value), str(path)) for name, value in held.items()}
