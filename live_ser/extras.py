"""What only some commands need, and how to install it."""

from __future__ import annotations

import importlib
import os
from typing import Any

from live_ser.errors import LiveSerError


def needed(module: str, extra: str) -> Any:
    """A module that comes with an extra of live-ser.

    Args:
        module: its full name, such as ``pyarrow.parquet``.
        extra: that brings it, such as ``tables``.

    Raises:
        LiveSerError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise LiveSerError(
            f"this needs {package}, which cannot be imported: {error}",
            f"python -m pip install 'live-ser[{extra}]'",
        ) from error


def as_root(command: str) -> str:
    """A command line that needs the rights of root, as this user has to type it."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return command if is_root else f"sudo {command}"
