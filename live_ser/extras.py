"""What only some commands need: how to install it, and what it may keep."""

from __future__ import annotations

import atexit
import importlib
import os
from typing import Any

from live_ser.errors import MissingExtra


def needed(module: str, extra: str) -> Any:
    """A module that comes with an extra of live-ser.

    Args:
        module: its full name, such as ``pyarrow.parquet``.
        extra: that brings it, such as ``tables``.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtra(
            f"this needs {package}, which cannot be imported: {error}",
            f"python -m pip install 'live-ser[{extra}]'",
        ) from error


def as_root(command: str) -> str:
    """A command line that needs the rights of root, as this user has to type it."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return command if is_root else f"sudo {command}"


def keep_nothing(*variables: str) -> None:
    """Have packages keep in a folder of this process alone what they would keep at home.

    Matplotlib keeps an index of fonts there, Keras its settings. What the user has set stays.

    Args:
        variables: of the environment, by which a package is told its folder, before it is imported.
    """
    from tempfile import TemporaryDirectory

    for variable in variables:
        if variable not in os.environ:
            folder = TemporaryDirectory(prefix="live-ser-")
            atexit.register(folder.cleanup)
            os.environ[variable] = folder.name
