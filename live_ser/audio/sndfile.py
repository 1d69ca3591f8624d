"""Decoding by libsndfile, in this process: the decoder of most files."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

import numpy as np

from live_ser.audio.blocks import Interleaved
from live_ser.audio.decoder import Decoder, Missing
from live_ser.audio.mpg123 import complaints_hidden
from live_ser.audio.wav_header import UNKNOWN_SIZE

_UNKNOWN_LENGTH = 2**50  # samples: libsndfile reports this or more for FLAC written to a pipe
_AT_ONCE = 2**16  # frames
_FEW = 256  # frames


class SndfileDecoder(Decoder):
    """Decodes a file by libsndfile.

    Args:
        file: the file, whose methods raise nothing; it stays open.
        skip: encoder delay to skip at the start, in frames.
        frames: frames of sound after that; None for the number that libsndfile reports.
        promised: number of frames according to the container; None for that of libsndfile.

    Attributes:
        format: name of the format in libsndfile, such as ``WAV``.

    Raises:
        soundfile.LibsndfileError: libsndfile cannot read it.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        skip: int = 0,
        frames: int | None = None,
        promised: int | None = None,
    ) -> None:
        import soundfile

        self._errors = (soundfile.LibsndfileError, RuntimeError, OSError)
        self._file, self._skip, self._open = file, skip, soundfile.SoundFile
        self._is_mp3 = True  # until it is known: libmpg123 may try any file
        self._sound: Any = self._opened()
        self.rate, self.channels = int(self._sound.samplerate), int(self._sound.channels)
        self.format = str(self._sound.format)
        self._is_mp3 = self.format in ("MP3", "MPEG")
        found = None if self._sound.frames >= _UNKNOWN_LENGTH else int(self._sound.frames) - skip
        self.frames = frames if frames is not None else found
        self._promised = promised or self._promise() or self.frames
        self._begin()

    def read(self, frames: int) -> Interleaved:
        """Read frames."""
        if self.frames is not None:
            frames = min(frames, self.frames - self._read)
        with self._quiet():
            try:
                block: Interleaved = self._sound.read(max(0, frames), "float32", always_2d=True)
            except self._errors:
                block = self._rest(frames)
        self._read += len(block)
        if not len(block) and self._promised is not None and self._read < self._promised:
            self.missing = (Missing(self._read / self.rate, self._promised / self.rate),)
        return block

    def rewind(self) -> None:
        """Start over."""
        self._sound.close()
        self._sound = self._opened()
        self._begin()

    def close(self) -> None:
        """Release libsndfile's memory; the file stays open."""
        self._sound.close()

    def _opened(self) -> Any:
        self._file.seek(0)
        with self._quiet():
            return self._open(self._file)

    def _quiet(self) -> AbstractContextManager[None]:
        return complaints_hidden() if self._is_mp3 else nullcontext()

    def _rest(self, frames: int) -> Interleaved:
        """Read up to an error: a read that fails returns none of its frames."""
        self._sound.close()
        self._file.seek(0)
        found: list[Interleaved] = [np.zeros((0, self.channels), np.float32)]
        try:
            self._sound = self._open(self._file)
            left = self._skip + self._read
            while left > 0 and len(skipped := self._sound.read(min(left, _AT_ONCE), "float32")):
                left -= len(skipped)
            while not left and frames > 0:
                block = self._sound.read(min(_FEW, frames), dtype="float32", always_2d=True)
                found.append(block)
                frames -= len(block) or frames
        except self._errors:
            pass
        else:
            return np.concatenate(found)  # this time there was no error
        self.frames = self._read + sum(map(len, found))
        if self._promised is None:
            self.missing = (Missing(self.frames / self.rate),)
        return np.concatenate(found)

    def _begin(self) -> None:
        self._read = 0
        if self.frames is not None and self._promised is not None and self.frames < self._promised:
            self.missing = (Missing(self.frames / self.rate, self._promised / self.rate),)
        if self._skip:
            with self._quiet():
                self._sound.read(self._skip, dtype="float32")

    def _promise(self) -> int | None:
        """Frames according to the header if there are fewer, from the log of libsndfile."""
        chunk = re.search(
            r"^ ?(?:data|SSND) : (\d+) \(should be (\d+)\)", self._sound.extra_info, re.M
        )
        if chunk is None or self.frames is None:
            return None
        promised, there = int(chunk[1]), int(chunk[2])
        return self.frames * promised // there if 0 < there < promised < UNKNOWN_SIZE else None
