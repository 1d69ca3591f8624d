"""Optional packages: how to import them, how to install them."""

from __future__ import annotations

import importlib
import os
from typing import Any

from live_ser.errors import MissingExtra


def needed(module: str, extra: str) -> Any:
    """Import a module that an extra of live-ser installs.

    Args:
        module: full name, such as ``pyarrow.parquet``.
        extra: name of the extra, such as ``tables``.

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
    """A command that needs root, with ``sudo`` unless the user is root."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return command if is_root else f"sudo {command}"
