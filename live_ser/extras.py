"""Packages that may be missing: how to import them, how to install them."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import sys
from pathlib import Path
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
            f"{_this_python()} -m pip install 'live-ser[{extra}]'",
        ) from error


def missing_package(error: ModuleNotFoundError) -> MissingExtra:
    """An error that says which package this Python lacks, and how to install it.

    Args:
        error: the failed import of a package that live-ser needs.
    """
    root, python = Path(__file__).parents[1], _this_python()
    is_checkout = (root / "pyproject.toml").is_file()
    name = error.name or "a package"
    what = shlex.quote(str(root)) if is_checkout else name.partition(".")[0]
    set_up = ", or use the Python of `make run`: .venv/bin/python" if is_checkout else ""
    return MissingExtra(
        f"live-ser needs {name}, which this Python does not have: {sys.executable}",
        f"{python} -m pip install {what}{set_up}",
    )


def _this_python() -> str:
    """How the user calls the Python that runs: in a checkout, ``python`` is another one."""
    running, usual = Path(sys.executable), shutil.which("python")
    if not sys.executable or (usual and Path(usual).absolute() == running):
        return "python"
    try:
        return shlex.quote(str(running.relative_to(Path.cwd())))
    except (ValueError, OSError):  # it is elsewhere
        return shlex.quote(str(running))


def as_root(command: str) -> str:
    """A command that needs root, with ``sudo`` unless the user is root."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return command if is_root else f"sudo {command}"
