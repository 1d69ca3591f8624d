"""A file spliced from parts of another one and given bytes."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Any, BinaryIO

Piece = bytes | tuple[int, int]  # bytes, or start and end offsets in the file


class CalmFile(io.BufferedReader):
    """A file that raises nothing: exceptions do not pass through libsndfile."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Seek; an invalid offset changes nothing."""
        with suppress(OSError, OverflowError):  # a header may contain any offset
            super().seek(offset, whence)
        return self.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; fewer bytes at the end or after an error of the disk."""
        try:
            return super().readinto(buffer)
        except OSError:
            return 0


class SplicedFile(io.RawIOBase):
    """Pieces, read as one file, without copying them to memory.

    Args:
        file: the file, which stays open.
        pieces: the pieces in order.
    """

    def __init__(self, file: BinaryIO, pieces: Iterable[Piece]) -> None:
        self._file = file
        self._pieces: Sequence[Piece] = [piece for piece in pieces if _size(piece)]
        self._ends = list(accumulate(map(_size, self._pieces)))
        self._position = 0

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self._ends[-1] if self._ends else 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The current offset."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Seek, clipped to the file; raises nothing."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = min(max(0, start + offset), self.size)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; fewer bytes only at the end."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._position < self.size:
            piece = bisect_right(self._ends, self._position)
            within = self._position - (self._ends[piece] - _size(self._pieces[piece]))
            data = self._of(self._pieces[piece], within, len(view) - done)
            if not data:
                break
            view[done : done + len(data)] = data
            done += len(data)
            self._position += len(data)
        return done

    def _of(self, piece: Piece, within: int, limit: int) -> bytes:
        if isinstance(piece, bytes):
            return piece[within : within + limit]
        start, end = piece
        self._file.seek(start + within)
        return self._file.read(min(limit, end - start - within))


def _size(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
