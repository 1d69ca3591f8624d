"""A recording of the sound of a session, which stays readable however the program ends.

The header of a sound file states its length, and libsndfile writes that when it closes the file.
Here it is updated as the file grows, so that after ``kill -9`` or a power cut all but the last
second can be read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from live_ser.audio.blocks import Gap, Samples
from live_ser.errors import InvalidArgument
from live_ser.live.sink import Sink
from live_ser.records.new_file import NewFile
from live_ser.records.record import Record

_UPDATE_SECONDS = 0.5
_FLAC_CHANNELS = 8  # at most


def kind_of(path: Path) -> str:
    """``flac`` or ``wav``, by the extension of a file.

    Raises:
        InvalidArgument: it has another extension.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _LENGTH_WRITERS:
        raise InvalidArgument(f"{path} is neither .flac nor .wav", "name the recording so")
    return kind


class Recording(Sink):
    """A recording as 16-bit FLAC or WAV; gaps become silence.

    It is a context manager: a file that it replaces stays until it ends without an error.

    Args:
        path: path of the file; the extension is the format.
        rate: sample rate in Hz.
        channels: number of channels of blocks ``[n, channels]``; 1 for blocks ``[n]``.
        force: overwrite an existing file.

    Raises:
        InvalidArgument: the extension is another one, the format does not support so many
            channels, or a pipe, a device or a folder has that name.
        OutputError: the file cannot be written.
    """

    stores = True

    def __init__(
        self, path: str | Path, rate: int, *, channels: int = 1, force: bool = False
    ) -> None:
        import soundfile

        path = Path(path)
        kind = kind_of(path)
        if kind == "flac" and channels > _FLAC_CHANNELS:
            raise InvalidArgument(
                f"{path}: FLAC holds {_FLAC_CHANNELS} channels, not {channels}", "name it .wav"
            )
        if path.exists() and not path.is_file():
            raise InvalidArgument(
                f"{path} is no file that a recording can be written into", "name a file"
            )
        self.name = f"the recording {path.name}"
        self._write_length = _LENGTH_WRITERS[kind]
        self._rate, self._channels = rate, channels
        self._samples = 0  # of each channel
        self._updated = 0
        self._is_synced = False
        self._file = NewFile(path, mode="overwrite" if force else "new", grows=True)
        self._disk = _Disk(self._file.raw)
        self._sound = soundfile.SoundFile(
            self._disk, "w", rate, channels, subtype="PCM_16", format=kind.upper()
        )

    @property
    def intact(self) -> bool:
        """Whether all sound was written."""
        return self._disk.failure is None

    def block(self, samples: Samples) -> None:
        """Add a block of sound.

        Raises:
            OSError: it cannot be written.
        """
        if not len(samples):
            return
        try:
            self._sound.write(samples)
        except (AssertionError, RuntimeError):
            self._disk.raise_failure()
            raise
        self._samples += len(samples)
        is_due = self._samples - self._updated >= _UPDATE_SECONDS * self._rate
        if is_due and not self._is_synced:
            self._update_length()
        self._disk.raise_failure()

    def _update_length(self) -> None:
        self._updated = self._samples
        end = self._disk.tell()
        self._write_length(self._disk, self._samples, self._channels)
        self._disk.seek(end)

    def gap(self, start: float, gap: Gap) -> None:
        """Add silence."""
        left = round(gap.seconds * self._rate)
        silence = np.zeros((self._rate, self._channels), np.float32)
        while left > 0:
            self.block(silence[:left])
            left -= len(silence)

    def end(self, summary: Record) -> None:
        """Finish the file.

        Raises:
            OSError: it cannot be written to its end.
        """
        self._finish()
        self._disk.raise_failure()

    def sync(self) -> None:
        """Sync to disk; called several times a second.

        The header states only the length that is on disk already: the disk may write the header
        first, and readers refuse a file that is shorter than its header states.

        Raises:
            OSError: the disk failed.
        """
        self._is_synced = True
        self._file.sync()
        if not self._sound.closed:
            self._update_length()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        self._finish()
        if error is None:
            self._file.finish()
        else:
            self._file.leave(error)

    def close(self, until: float = math.inf) -> None:
        """Finish the sound, and give the file its name."""
        self.__exit__(None, None)

    def _finish(self) -> None:
        with suppress(RuntimeError):  # ``_Disk`` has the cause
            self._sound.close()


class _Disk:
    """A file that stores its errors, which libsndfile would swallow.

    After the first one nothing is written: the header that libsndfile writes at the end would state
    all the sound that was recorded, and not what is on the disk. What was written in part, such as
    a frame of FLAC, is cut off.

    Attributes:
        failure: the first error.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        if self.failure is not None:
            return 0
        view = memoryview(data)
        start, written = self._raw.tell(), 0
        try:
            while written < len(view):
                written += self._raw.write(view[written:])
        except OSError as error:
            self.failure = error
            with suppress(OSError):
                if start + written == self._raw.seek(0, os.SEEK_END):
                    self._raw.truncate(start)
                    written = 0
        return written

    def read(self, size: int) -> bytes:
        return self._raw.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure


def _write_wav_length(disk: _Disk, samples: int, channels: int) -> None:
    """Write the length into the 44 bytes of libsndfile's header of a WAV file of 16-bit PCM."""
    size = 2 * samples * channels
    for position, length in ((4, 36 + size), (40, size)):
        disk.seek(position)
        disk.write(min(length, 2**32 - 1).to_bytes(4, "little"))  # 37 hours, and then the most


def _write_flac_length(disk: _Disk, samples: int, channels: int) -> None:
    """Write the length into STREAMINFO: the lower 36 of the 64 bits from byte 18 (RFC 9639)."""
    disk.seek(8)
    block = int.from_bytes(disk.read(2), "big")
    # The encoder writes a block when it has one sample more than that.
    written = (samples - 1) // block * block if block else 0
    disk.seek(18)
    bits = int.from_bytes(disk.read(8), "big")
    disk.seek(18)
    disk.write((bits >> 36 << 36 | written).to_bytes(8, "big"))


_LENGTH_WRITERS: dict[str, Callable[[_Disk, int, int], None]] = {
    "flac": _write_flac_length,
    "wav": _write_wav_length,
}
