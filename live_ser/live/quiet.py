"""Hide the messages of native libraries.

ALSA, PortAudio and the decoders of MP3 and ALAC print to the standard streams, even into a
dashboard or JSON Lines. Python's own streams are not affected.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress


@contextmanager
def native_messages_hidden() -> Iterator[None]:
    """During the ``with`` block, only Python writes to standard output and error."""
    if os.name == "nt":  # none of its audio systems does that
        yield
        return
    with ExitStack() as stack:
        for name in ("stdout", "stderr"):
            stack.enter_context(_kept_to_python(name))
        yield


@contextmanager
def _kept_to_python(name: str) -> Iterator[None]:
    stream = getattr(sys, name)
    try:
        descriptor = stream.fileno()
        sink = os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError, AttributeError):  # no real stream, or no more files: not hidden
        yield
        return
    try:
        ours = os.dup(descriptor)
    except OSError:
        os.close(sink)
        yield
        return
    stream.flush()
    os.dup2(sink, descriptor)
    os.close(sink)
    raw = os.fdopen(ours, "wb", 0, closefd=False)
    buffer = raw if name == "stderr" else io.BufferedWriter(raw)
    replacement = io.TextIOWrapper(
        buffer,
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    setattr(sys, name, replacement)
    try:
        yield
    finally:
        with suppress(OSError):  # whoever wrote was told
            replacement.flush()
        setattr(sys, name, stream)
        _flush_native()
        os.dup2(ours, descriptor)
        os.close(ours)


def _flush_native() -> None:
    """Flush the buffers of the C library while its output is still discarded."""
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).fflush(None)
