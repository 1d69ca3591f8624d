"""libmpg123, which libsndfile decodes MP3 with, kept from writing on the caller's terminal.

It complains of each damaged frame on the process's standard error, whatever the caller asked for.
What is missing of a file is found and told by :mod:`live_ser.audio.mpeg_audio`.
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
    """Keep libmpg123's lines from standard error for as long as the block lasts.

    What other threads write meanwhile is passed on when it ends.
    """
    with _lock, ExitStack() as stack:
        try:
            kept = os.dup(_STANDARD_ERROR)
            stack.callback(os.close, kept)
            written = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # standard error is closed, or nothing can be written anywhere
            yield
            return
        try:
            os.dup2(written.fileno(), _STANDARD_ERROR)
            yield
        finally:
            os.dup2(kept, _STANDARD_ERROR)
            _pass_on(written, kept)


def _pass_on(written: IO[bytes], descriptor: int) -> None:
    if not os.fstat(written.fileno()).st_size:
        return
    written.seek(0)
    with suppress(OSError):  # nobody takes it
        os.write(descriptor, _COMPLAINT.sub(b"", written.read()))
