"""A sound file as blocks: opened, checked, downmixed, resampled and paced."""

from __future__ import annotations

import io
import math
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from live_ser.audio.blocks import Interleaved, Samples, Voice, wait_until
from live_ser.audio.channels import mixer
from live_ser.audio.decoder import Decoder, Missing, is_complete, no_sound
from live_ser.audio.decoders import decoder_of
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.resampler import Resampler
from live_ser.audio.spliced_file import CalmFile
from live_ser.errors import AudioError, LiveSerError, unreadable

LOWEST_RATE = 4000  # Hz
HIGHEST_RATE = 1_000_000  # Hz
_BLOCK_VALUES = 2**22  # samples in memory at a time, whatever the header claims
_LISTED = 3  # stretches of missing sound in a message
HIGHEST_SAMPLE = 1000.0  # full scale is 1; larger values are not samples of this scale


class AudioFile:
    """The blocks of an open sound file.

    Args:
        path: path of the file, for messages.
        sound: its decoder.
        rate: sample rate of the blocks in Hz.
        block: length of a block in seconds.
        speed: pace of the blocks: 1 is real time, 2 twice as fast, 0 as fast as possible.
        endless: start over at the end.
        reading: how to read it; with ``partial``, missing sound in the middle is silence instead of
            an error.
    """

    overflows = 0
    backlog = 0.0
    behind = 0.0
    message = ""

    def __init__(
        self,
        path: str | Path,
        sound: Decoder,
        rate: int,
        *,
        block: float,
        speed: float,
        endless: bool = False,
        reading: Reading = USUAL,
    ) -> None:
        self.name = Path(path).name
        self.native_rate: int = sound.rate
        self._path, self._sound, self._rate = path, sound, rate
        self._block, self._speed, self._endless = block, speed, endless
        self._partial, self._channel = reading.partial, reading.channel
        try:
            self._mix = mixer(sound.channels, sound.rate, reading)
        except LiveSerError as error:
            raise type(error)(f"{path}: {error.message}", error.hint) from error

    @property
    def duration(self) -> float:
        """Length in seconds; infinite if it is unknown before the end."""
        frames = self._sound.frames
        return math.inf if frames is None else frames / self.native_rate

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Missing sound found so far."""
        return () if is_complete(self._sound.missing) else self._sound.missing

    @property
    def notes(self) -> list[str]:
        """Warnings about the sound read so far."""
        mixed = [f"{self._path}: {note}" for note in self._mix.notes]
        missing = f"{self._path}: {_in_words(self.missing)}" if self.missing else ""
        return [note for note in (self._sound.note, *mixed, missing) if note]

    @property
    def channel(self) -> int | None:
        """The channel in use, from 1; None for the mean."""
        return self._channel or self._mix.cancelling

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voices of the channels, if they are classified separately."""
        return self._mix.voices

    @property
    def track(self) -> int | None:
        """The track in use, from 1; None if there is only one."""
        return self._sound.track

    def __iter__(self) -> Iterator[Samples]:
        while True:
            due = time.monotonic()
            for samples in self._resampled():
                yield samples
                if self._speed:
                    # After a halt, continue at the same pace rather than catch up.
                    due = max(due, time.monotonic() - 1.0) + len(samples) / self._rate / self._speed
                    yield from wait_until(due)
            if not self._endless:
                return
            self._sound.rewind()

    def _resampled(self) -> Iterator[Samples]:
        resample = Resampler(self._sound.rate, self._rate, len(self.voices))
        for samples in self._mixed():
            yield resample.push(samples)
        yield resample.finish()

    def _mixed(self) -> Iterator[Samples]:
        most = _BLOCK_VALUES // self._sound.channels
        frames = max(1, min(most, round(self._sound.rate * self._block)))
        read = 0
        self._check_missing()
        while len(block := self._sound.read(frames)):
            check_scale(block, self._path, read, self._sound.rate)
            read += len(block)
            yield self._mix.push(block)
            self._check_missing()
        if not read:
            raise no_sound(self._path)
        yield self._mix.finish()
        self._check_missing()

    def _check_missing(self) -> None:
        if self.missing and not self._partial:
            raise AudioError(
                f"{self._path} is truncated or damaged: {_in_words(self.missing)}",
                "copy it again, or classify what there is: `partial=True`",
            )


def _in_words(missing: tuple[Missing, ...]) -> str:
    where = ", ".join(map(str, missing[:_LISTED])) + (" and more" if len(missing) > _LISTED else "")
    return f"sound is missing {where}"


@contextmanager
def open_audio(path: Path, reading: Reading = USUAL) -> Iterator[Decoder]:
    """Open the decoder of a file, after checks of the path."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError(f"there is no file {path}", "check the name") from error
    except OSError as error:  # such as a broken link
        raise unreadable(path, error, AudioError) from error
    except ValueError as error:  # an invalid name
        raise AudioError(f"cannot read {path}: {error}", "check the name") from error
    if stat.S_ISDIR(mode):
        raise AudioError(f"{path} is a folder, not a sound file", "name the files in it")
    if not stat.S_ISREG(mode):
        raise AudioError(f"{path} is not a regular file", "copy the sound into one")
    # A file object rather than a path: a name may hold bytes that are not text, and soundfile would
    # choose the format by the extension.
    try:
        raw = CalmFile(io.FileIO(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))))
    except OSError as error:
        raise unreadable(path, error, AudioError) from error
    with raw:
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is empty", "record or copy it again")
        with decoder_of(path, raw, reading) as sound:
            _check_header(path, sound)
            yield sound


def _check_header(path: Path, sound: Decoder) -> None:
    if sound.frames == 0:
        raise no_sound(path)
    check_rate(path, sound.rate)


def check_rate(name: object, rate: int) -> None:
    """Check that a sample rate is plausible for speech.

    Raises:
        AudioError: it is not.
    """
    if rate > HIGHEST_RATE:
        raise AudioError(
            f"{name} has {rate} samples a second: no sound has so many",
            "see that its header is right",
        )
    if rate < LOWEST_RATE:
        raise AudioError(
            f"{name} has {rate} samples a second: no speech fits into that",
            "see that its header is right",
        )


def check_scale(block: Interleaved, name: object, start: int, rate: int) -> None:
    """Check that samples are finite and near full scale.

    Args:
        block: float32 ``[n, channels]``.
        name: name of the file, for the error.
        start: number of frames before the block.
        rate: sample rate in Hz.

    Raises:
        AudioError: a sample is not.
    """
    good = np.abs(block) < HIGHEST_SAMPLE  # False for NaN, too
    if good.all():
        return
    frame, channel = np.argwhere(~good)[0]
    value, at = float(block[frame, channel]), (start + int(frame)) / rate
    raise AudioError(
        f"{name} holds a sample of {value:g} at {at:.2f} s, where full scale is 1",
        "write it again as 16-bit WAV or FLAC",
    )
