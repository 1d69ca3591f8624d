"""A sound file: opened, checked, brought to the rate that is wanted, and paced."""

from __future__ import annotations

import io
import math
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from live_ser.blocks import Resampler, wait_until
from live_ser.channels import Downmix
from live_ser.devices import Interleaved
from live_ser.errors import LiveSerError
from live_ser.features import Samples
from live_ser.ffmpeg import UNKNOWN_LENGTH, FfmpegSound

_OGG_PAGE_BYTES = 65307  # at most
LOWEST_RATE = 4000  # Hz
HIGHEST_RATE = 1_000_000  # Hz
_BLOCK_VALUES = 2**22  # in memory at a time, whatever rate and channels a header promises
HIGHEST_SAMPLE = 1000.0  # full scale is 1: beyond this a file means something else by its numbers


class AudioFile:
    """Blocks of an open sound file, paced where ``speed`` is not 0."""

    overflows = 0
    backlog = 0.0
    message = ""

    def __init__(
        self,
        path: str | Path,
        sound: Any,
        rate: int,
        *,
        block: float,
        speed: float,
        endless: bool = False,
        channel: int | None = None,
    ) -> None:
        self.name = Path(path).name
        self.native_rate: int = sound.samplerate
        self._path, self._sound, self._rate = path, sound, rate
        self._block, self._speed, self._endless = block, speed, endless
        self._mix = Downmix(sound.channels, sound.samplerate, channel)

    @property
    def duration(self) -> float:
        """Seconds, as the file's header says; infinite where it does not."""
        frames = self._sound.frames
        return frames / self.native_rate if frames < UNKNOWN_LENGTH else math.inf

    @property
    def notes(self) -> list[str]:
        """What the user should know of it once, as far as it was read."""
        return [self._mix.note] if self._mix.note else []

    def __iter__(self) -> Iterator[Samples]:
        while True:
            due = time.monotonic()
            for samples in self._resampled():
                yield samples
                if self._speed:
                    # After a halt the pace goes on from there, it does not catch up.
                    due = max(due, time.monotonic() - 1.0) + len(samples) / self._rate / self._speed
                    yield from wait_until(due)
            if not self._endless:
                return
            self._sound.seek(0)

    def _resampled(self) -> Iterator[Samples]:
        resample = Resampler(self._sound.samplerate, self._rate)
        for samples in self._mono():
            yield resample.push(samples)
        yield resample.finish()

    def _mono(self) -> Iterator[Samples]:
        most = _BLOCK_VALUES // self._sound.channels
        frames = max(1, min(most, round(self._sound.samplerate * self._block)))
        read = 0
        while True:
            try:
                block = self._sound.read(frames, dtype="float32", always_2d=True)
            except (RuntimeError, OSError) as error:
                raise _truncated(self._path, read, self._sound) from error
            if not len(block):
                break
            self._check(block, read)
            read += len(block)
            yield self._mix.push(block)
        yield self._mix.finish()
        if read < self._sound.frames < UNKNOWN_LENGTH:
            raise _truncated(self._path, read, self._sound)

    def _check(self, block: Interleaved, read: int) -> None:
        good = np.abs(block) < HIGHEST_SAMPLE  # false for what is not a number, too
        if good.all():
            return
        frame, channel = np.argwhere(~good)[0]
        value = float(block[frame, channel])
        at = (read + int(frame)) / self._sound.samplerate
        raise LiveSerError(
            f"{self._path} holds a sample of {value:g} at {at:.2f} s, where full scale is 1",
            "write it again as 16-bit WAV or FLAC",
        )


@contextmanager
def open_audio(path: Path) -> Iterator[Any]:
    """The open ``soundfile.SoundFile`` of a path, with the plainly unusable refused."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LiveSerError(f"there is no file {path}", "check the name") from error
    except (OSError, ValueError) as error:  # such a name cannot be, or leads nowhere
        raise LiveSerError(
            f"cannot read {path}: {getattr(error, 'strerror', error)}", "check the name"
        ) from error
    if stat.S_ISDIR(mode):
        raise LiveSerError(f"{path} is a folder, not a sound file", "name the files in it")
    if not stat.S_ISREG(mode):
        raise LiveSerError(f"{path} is not a regular file", "copy the sound into one")
    # Through Python's own file: a name may hold bytes that are no text.
    try:
        raw = _Calm(io.FileIO(path))
    except OSError as error:
        raise LiveSerError(f"cannot read {path}: {error.strerror}", "check its rights") from error
    with raw, _decoder(path, raw) as sound:
        _check_header(path, raw, sound)
        yield sound


def _decoder(path: Path, raw: BinaryIO) -> Any:
    import soundfile

    if path.stat().st_size == 0:
        raise LiveSerError(f"{path} is empty", "record or copy it again")
    try:
        sound = soundfile.SoundFile(raw)
    except (soundfile.LibsndfileError, TypeError, OSError):
        return FfmpegSound(path)
    if sound.frames < UNKNOWN_LENGTH and (sound.format != "MP3" or _tells_length(path)):
        return sound
    sound.close()
    return FfmpegSound(path)


def _tells_length(path: Path) -> bool:
    """Whether an MP3 file says how long it is; else libsndfile guesses, and stops there."""
    with path.open("rb") as file:
        head = file.read(10)
        tag = 0
        if head.startswith(b"ID3"):  # its length in four bytes of seven bits
            tag = 10 + sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(head[6:]))
        file.seek(tag)
        first = file.read(4096)
    return any(name in first for name in (b"Xing", b"Info", b"VBRI"))


def _check_header(path: Path, raw: BinaryIO, sound: Any) -> None:
    if sound.samplerate > HIGHEST_RATE:
        raise LiveSerError(
            f"{path} has {sound.samplerate} samples a second: no sound has so many",
            "see that its header is right",
        )
    if sound.frames == 0:
        raise LiveSerError(f"{path} holds no sound: zero samples", "record it again")
    if sound.samplerate < LOWEST_RATE:
        raise LiveSerError(
            f"{path} has {sound.samplerate} samples a second: no speech fits into that",
            "see that its header is right",
        )
    if _is_cut(raw, sound):
        raise LiveSerError(
            f"{path} is truncated: its header promises more than there is",
            "copy or record it again",
        )


class _Calm(io.BufferedReader):
    """A file that raises nothing: libsndfile, which asks it from C, would lose that on the way."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with suppress(OSError, OverflowError):  # a header may point anywhere
            super().seek(offset, whence)
        return self.tell()

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except OSError:  # the disk gives no more: the file is taken for one that ends here
            return 0


def _truncated(path: str | Path, read: int, sound: Any) -> LiveSerError:
    return LiveSerError(
        f"{path} is truncated or damaged: it ends after {read / sound.samplerate:.2f} of "
        f"{sound.frames / sound.samplerate:.2f} s",
        "copy or record it again",
    )


def _is_cut(raw: BinaryIO, sound: Any) -> bool:
    """Whether a file ends before its header says; libsndfile would read the rest of it as all."""
    if sound.format == "OGG":
        return _ends_within_ogg_page(raw)
    if isinstance(sound, FfmpegSound):
        return False
    chunk = re.search(r"^ ?(?:data|SSND) : (\d+) \(should be (\d+)\)", sound.extra_info, re.M)
    # A writer into a pipe cannot know the size, and promises all that there could be.
    return chunk is not None and int(chunk[2]) < int(chunk[1]) < 0x7FFF0000


def _ends_within_ogg_page(raw: BinaryIO) -> bool:
    position = raw.tell()
    size = raw.seek(0, 2)
    tail_start = raw.seek(max(0, size - 2 * _OGG_PAGE_BYTES))
    tail = raw.read()
    raw.seek(position)
    page = tail.rfind(b"OggS")
    segments = tail[page + 27 : page + 27 + tail[page + 26]] if page + 26 < len(tail) else b""
    length = 27 + len(segments) + sum(segments)
    return page < 0 or not segments or tail_start + page + length > size
