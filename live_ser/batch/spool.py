"""A buffer of records: in memory for few, on disk for many."""

from __future__ import annotations

import io
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from live_ser.records.record import Record

_BATCH = 256  # records
_IN_MEMORY = 64 * 1024  # bytes


class Spool:
    """The records of a recording, to be read by any process once they are complete.

    Args:
        folder: temporary folder for many records; the caller removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._data = bytearray()
        self._batch: list[Record] = []

    def write(self, record: Record) -> None:
        """Add a record."""
        self._batch.append(record)
        if len(self._batch) == _BATCH:
            self.close()

    def close(self) -> None:
        """Flush the records, so that they can be read or sent."""
        if self._batch:
            self._data += pickle.dumps(self._batch, pickle.HIGHEST_PROTOCOL)
            self._batch = []
        if self._path is None and len(self._data) > _IN_MEMORY:
            handle, name = tempfile.mkstemp(dir=self._folder)
            os.close(handle)
            self._path = Path(name)
        if self._path is not None and self._data:
            with self._path.open("ab") as file:
                file.write(self._data)
            self._data.clear()

    def drop(self) -> None:
        """Delete the records."""
        self._data.clear()
        self._batch = []
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink()
            self._path = None

    def __iter__(self) -> Iterator[Record]:
        with self._path.open("rb") if self._path else io.BytesIO(self._data) as file:
            while True:
                try:
                    # Written by ourselves, into a folder that only this user can read.
                    batch: list[Record] = pickle.load(file)  # noqa: S301
                except EOFError:
                    return
                yield from batch
