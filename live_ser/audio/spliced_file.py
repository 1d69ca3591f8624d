"""A file made of stretches of another one, and of bytes between them."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Any, BinaryIO

Piece = bytes | tuple[int, int]  # these bytes, or those of the file from one offset to another


class CalmFile(io.BufferedReader):
    """A file that raises nothing: libsndfile, which asks it from C, would lose that on the way."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there; where that cannot be, stay."""
        with suppress(OSError, OverflowError):  # a header may point anywhere
            super().seek(offset, whence)
        return self.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, less at the end or where the disk gives no more."""
        try:
            return super().readinto(buffer)
        except OSError:
            return 0


class SplicedFile(io.RawIOBase):
    """Pieces, read as one file. Only what is read is in memory.

    Args:
        file: that the stretches are of; it stays open.
        pieces: in their order.
    """

    def __init__(self, file: BinaryIO, pieces: Iterable[Piece]) -> None:
        self._file = file
        self._pieces: Sequence[Piece] = [piece for piece in pieces if _size(piece)]
        self._ends = list(accumulate(map(_size, self._pieces)))
        self._position = 0

    @property
    def size(self) -> int:
        """In bytes."""
        return self._ends[-1] if self._ends else 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The position of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there, or as near to it as the file reaches; raises nothing."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = min(max(0, start + offset), self.size)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, less only at the end."""
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

    def _of(self, piece: Piece, within: int, most: int) -> bytes:
        if isinstance(piece, bytes):
            return piece[within : within + most]
        start, end = piece
        self._file.seek(start + within)
        return self._file.read(min(most, end - start - within))


def _size(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
