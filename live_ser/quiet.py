"""Keep native libraries from writing on the terminal.

ALSA, PortAudio and the MP3 decoder print to file descriptor 2 whatever they please, in the middle
of a dashboard too. Python's own standard error goes on where it went.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_messages_hidden() -> Iterator[None]:
    """For as long as the block lasts, only Python writes to standard error."""
    if os.name == "nt":  # none of its audio systems does that
        yield
        return
    try:
        descriptor = sys.stderr.fileno()
        ours = os.dup(descriptor)
    except (OSError, ValueError, AttributeError):  # no real standard error: nothing to hide
        yield
        return
    python_stderr = sys.stderr
    python_stderr.flush()
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, descriptor)
    os.close(sink)
    encoding, errors = python_stderr.encoding, python_stderr.errors
    sys.stderr = os.fdopen(ours, "w", 1, encoding=encoding, errors=errors, closefd=False)
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = python_stderr
        os.dup2(ours, descriptor)
        os.close(ours)
