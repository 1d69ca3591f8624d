"""Hide the messages of libmpg123, with which libsndfile decodes MP3.

It reports each damaged frame on standard error. Missing sound is found and reported by
:mod:`live_ser.audio.mpeg_audio` instead.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

_COMPLAINT = re.compile(rb"^\[src/libmpg123/.*\n?", re.M)
_STANDARD_ERROR = 2
_lock = threading.Lock()  # descriptors belong to the whole process


@contextmanager
def complaints_hidden() -> Iterator[None]:
    """Remove libmpg123's lines from standard error during the ``with`` block.

    What other threads write meanwhile is passed on at its end.
    """
    with _lock, ExitStack() as stack:
        try:
            original = os.dup(_STANDARD_ERROR)
            stack.callback(os.close, original)
            written = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # standard error is closed, or there is no place for a temporary file
            yield
            return
        try:
            os.dup2(written.fileno(), _STANDARD_ERROR)
            yield
        finally:
            os.dup2(original, _STANDARD_ERROR)
            _pass_on(written, original)


def _pass_on(written: IO[bytes], descriptor: int) -> None:
    if not os.fstat(written.fileno()).st_size:
        return
    written.seek(0)
    with suppress(OSError):  # it has no reader
        os.write(descriptor, _COMPLAINT.sub(b"", written.read()))
