"""Sound in several links, such as concatenated files, decoded one after another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from live_ser.audio.blocks import Interleaved
from live_ser.audio.decoder import Decoder, Missing, joined
from live_ser.audio.sndfile import SndfileDecoder
from live_ser.audio.spliced_file import Piece, SplicedFile


@dataclass(frozen=True)
class Link:
    """A part of a file that libsndfile can read as a file of its own.

    Attributes:
        pieces: its pieces of the file.
        skip: encoder delay to skip at the start, in frames.
        frames: frames of sound after that; None for the number that libsndfile reports.
        lost_before: seconds of sound missing before it.
        lost_behind: seconds of sound missing after it, for the last link.
        ends_at: end of its sound in seconds, from the start of the last link without this; the
            sound missing before it follows from it.
    """

    pieces: Sequence[Piece]
    skip: int = 0
    frames: int | None = None
    lost_before: float = 0.0
    lost_behind: float = 0.0
    ends_at: float | None = None


class ConcatenatedDecoder(Decoder):
    """Decodes links, with the sample rate and channels of the first.

    Args:
        file: the file, whose methods raise nothing; it stays open.
        links: its links in order, at least one.

    Raises:
        soundfile.LibsndfileError: libsndfile cannot read the first.
    """

    def __init__(self, file: BinaryIO, links: Sequence[Link]) -> None:
        self._file, self._links = file, links
        self._decoder: SndfileDecoder | None = self._opened(links[0])
        self.rate, self.channels = self._decoder.rate, self._decoder.channels
        self.frames = self._decoder.frames if len(links) == 1 else None
        self._begin()

    def read(self, frames: int) -> Interleaved:
        """Read frames."""
        while self._silence or self._decoder is not None:
            if self._silence:
                block = np.zeros((min(frames, self._silence), self.channels), np.float32)
                self._silence -= len(block)
            else:
                block = self._next_block(frames)
            if len(block):
                self._read += len(block)
                return block
        return np.zeros((0, self.channels), np.float32)

    def rewind(self) -> None:
        """Start over."""
        self.close()
        self._decoder = self._opened(self._links[0])
        self._begin()

    def close(self) -> None:
        """Release the open link."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def _opened(self, link: Link) -> SndfileDecoder:
        spliced = SplicedFile(self._file, link.pieces)
        return SndfileDecoder(spliced, skip=link.skip, frames=link.frames)  # type: ignore[arg-type]

    def _begin(self) -> None:
        self._number = 0  # of the open link
        self._read = 0  # frames given
        self._base = 0.0  # seconds
        self._enter()

    def _enter(self) -> None:
        """Start with an open link."""
        link = self._links[self._number]
        self._silence = round(self._lost_before(link) * self.rate)
        self._start = (self._read + self._silence) / self.rate
        if self._silence:
            self._miss(self._read / self.rate, self._start)
        self._resample: Any = None
        if self._decoder is not None and self._decoder.rate != self.rate:
            import soxr

            rates = self._decoder.rate, self.rate
            self._resample = soxr.ResampleStream(*rates, self.channels, dtype="float32")
        self._note()

    def _lost_before(self, link: Link) -> float:
        if link.ends_at is None:
            self._base = self._read / self.rate
            return link.lost_before
        if self._decoder is None or self._decoder.frames is None:
            return 0.0
        start = self._base + link.ends_at - self._decoder.frames / self._decoder.rate
        return max(0.0, start - self._read / self.rate)

    def _next_block(self, frames: int) -> Interleaved:
        assert self._decoder is not None
        block = self._decoder.read(frames)
        last = not len(block)
        block = _with_channels(block, self.channels)
        if self._resample is not None:
            block = self._resample.resample_chunk(block, last=last)
        if last:
            self._note()
            self._leave(self._read + len(block))
        return block

    def _leave(self, read: int) -> None:
        """Continue with the next link that libsndfile can read."""
        self.close()
        behind = self._links[self._number].lost_behind
        if behind:
            self._miss(read / self.rate, read / self.rate + behind)
        import soundfile

        while self._decoder is None and self._number + 1 < len(self._links):
            self._number += 1
            try:
                self._decoder = self._opened(self._links[self._number])
            except (soundfile.LibsndfileError, TypeError, OSError):
                self._miss(read / self.rate, math.inf)
        if self._decoder is not None:
            given, self._read = self._read, read
            self._enter()
            self._read = given

    def _note(self) -> None:
        """Add the missing sound of the open link."""
        if self._decoder is not None:
            for one in self._decoder.missing:
                self._miss(self._start + one.start, self._start + one.end)

    def _miss(self, start: float, end: float) -> None:
        self.missing = joined((*self.missing, Missing(start, end)))


def _with_channels(block: Interleaved, channels: int) -> Interleaved:
    if block.shape[1] == channels:
        return block
    return np.repeat(block.mean(axis=1, keepdims=True, dtype=np.float32), channels, axis=1)
