"""Standard streams of the process."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, Any


def let_go(stream: IO[Any]) -> None:
    """Close a file, but not standard output; records are flushed already.

    An error of writing was raised before, and must not be raised again here or at exit.
    """
    try:
        stream.flush()
    except OSError:
        silence(stream)
    if stream is not sys.stdout:
        stream.close()


def silence(stream: IO[Any]) -> None:
    """Redirect a broken stream to the null device."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):  # not a real file
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
