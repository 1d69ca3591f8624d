"""Sources of sound: a microphone, a file, a replayed file, a pipe, or an array.

Each is a context manager that yields an iterable of float32 blocks at a given sample rate. Nothing
downstream depends on the kind of source.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from numpy.typing import ArrayLike

from live_ser.audio.arrays import ArraySound
from live_ser.audio.blocks import Block, Gap, Samples, Source, Voice
from live_ser.audio.counts import checked_count
from live_ser.audio.decoder import Decoder, Missing
from live_ser.audio.devices import BLOCK_SECONDS, Opener, open_input
from live_ser.audio.files import AudioFile, open_audio
from live_ser.audio.microphone import Microphone
from live_ser.audio.pipes import PipeDecoder, PipedSound, copied, is_pipe, name_of_pipe, opened_pipe
from live_ser.audio.reading import USUAL, Reading
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.text import counted

__all__ = [
    "Block",
    "Gap",
    "Recording",
    "Sound",
    "Source",
    "audio_file",
    "is_pipe",
    "microphone",
    "open_sound",
    "piped",
    "replay",
]

Sound = str | os.PathLike[str] | BinaryIO | ArrayLike  # accepted types of a recording


class Recording(Protocol):
    """The sound of a recording: an iterable of blocks.

    Attributes:
        missing: missing sound found so far.
        notes: warnings about the sound read so far.
        voices: the channels of blocks ``[n, channels]``, each classified separately; none for mono
            blocks.
    """

    @property
    def missing(self) -> tuple[Missing, ...]: ...  # noqa: D102

    @property
    def notes(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def voices(self) -> Sequence[Voice]: ...  # noqa: D102

    def __iter__(self) -> Iterator[Samples]: ...


@contextmanager
def microphone(
    device: int | str | None,
    rate: int,
    *,
    channels: int | None = None,
    channel: int | None = None,
    each_channel: bool = False,
    names: Sequence[str] = (),
    reconnect: bool = True,
    opener: Opener = open_input,
) -> Iterator[Source]:
    """Open a microphone.

    Args:
        device: index or part of a name; None for the default device.
        rate: sample rate of the blocks in Hz; the sound is resampled if necessary.
        channels: number of channels to record; None to choose it by the device, see
            :func:`live_ser.audio.devices.open_input`.
        channel: the channel to use, from 1; None for the mean, or for one of them where they
            cancel each other out.
        each_channel: whether each channel is classified separately.
        names: names of the speakers of the channels, with ``each_channel``.
        reconnect: wait for a device that was disconnected, rather than raise.
        opener: function that opens the device.

    Raises:
        DeviceError: the device cannot be opened; or, while iterating, it was disconnected and
            ``reconnect`` is off.
    """
    reading = Reading(channel, each_channel=each_channel, names=names)
    if channels is not None:
        channels = checked_count("channels", channels)
    if channel is not None and not 1 <= channel <= (channels or channel):
        raise InvalidArgument(
            f"no channel {channel} in {counted(channels or 0, 'channel')}", "count them from 1"
        )
    mic = Microphone(
        partial(opener, rate=rate, channels=channels, channel=channel),
        device=device,
        rate=rate,
        reading=reading,
        reconnect=reconnect,
    )
    try:
        yield mic
    finally:
        mic.close()


@contextmanager
def open_sound(
    sound: Sound, rate: float | None, wanted: int, reading: Reading = USUAL
) -> Iterator[Recording]:
    """Open a recording of any accepted type.

    Args:
        sound: path of a sound file, binary file object that holds one, or samples ``[n]``,
            ``[n, channels]`` or ``[1, n]``.
        rate: sample rate of samples in Hz.
        wanted: sample rate of the blocks in Hz.
        reading: how to read it; only the channels can be chosen for samples.

    Raises:
        AudioError: it is not sound; or sound is missing, and ``partial`` is off; possibly while
            iterating.
    """
    if isinstance(sound, str | os.PathLike):
        with audio_file(Path(sound), wanted, reading) as file:
            yield file
    elif hasattr(sound, "read"):
        with audio_file(sound, wanted, reading) as file:  # type: ignore[arg-type]
            yield file
    else:
        yield ArraySound(sound, rate, wanted, reading=reading)


@contextmanager
def audio_file(
    path: str | Path | BinaryIO, rate: int, reading: Reading = USUAL
) -> Iterator[AudioFile]:
    """Open a sound file of any format, sample rate and number of channels.

    Args:
        path: path of the file; a pipe or an open binary file is read to its end first, and
            ``"-"`` is standard input.
        rate: sample rate of the blocks in Hz.
        reading: how to read it; with ``partial``, missing sound is no error, and is listed in
            ``missing``.

    Raises:
        AudioError: it is not a sound file; or sound is missing, and ``partial`` is off; possibly
            while iterating.
    """
    with _opened(path, reading) as sound:
        name = _name(path)
        yield AudioFile(name, sound, rate, block=1.0, speed=0.0, reading=reading)


@contextmanager
def replay(
    path: str | Path,
    rate: int,
    speed: float = 1.0,
    *,
    endless: bool = False,
    name: str | None = None,
    reading: Reading = USUAL,
) -> Iterator[Source]:
    """Replay a sound file in real time.

    Args:
        path: path of the file.
        rate: sample rate of the blocks in Hz.
        speed: pace: 1 is real time, 2 twice as fast, 0 as fast as possible.
        endless: start over at the end.
        name: name to show; None for that of the file.
        reading: how to read it.

    Raises:
        AudioError: as :func:`audio_file`.
    """
    with open_audio(Path(path), reading) as sound:
        source = AudioFile(
            path, sound, rate, block=BLOCK_SECONDS, speed=speed, endless=endless, reading=reading
        )
        source.name = name or source.name
        yield source


@contextmanager
def piped(path: str | Path, rate: int, reading: Reading = USUAL) -> Iterator[Source]:
    """Open sound that comes through a pipe, at whatever pace.

    Args:
        path: path of a named pipe; ``"-"`` is standard input.
        rate: sample rate of the blocks in Hz.
        reading: how to read it; without ``raw`` it must be WAV.

    Raises:
        AudioError: as :func:`audio_file`.
    """
    name = name_of_pipe(path)
    with opened_pipe(path) as stream, PipeDecoder(stream, name, reading.raw) as sound:
        yield PipedSound(sound, name, rate, reading)


def _name(path: str | Path | BinaryIO) -> str | Path:
    """The name of a source, for messages."""
    if isinstance(path, str | Path):
        return path
    name = getattr(path, "name", None)
    return name if isinstance(name, str) else "the sound"


@contextmanager
def _opened(path: str | Path | BinaryIO, reading: Reading) -> Iterator[Decoder]:
    if isinstance(path, str | Path) and not is_pipe(path):
        with open_audio(Path(path), reading) as sound:
            yield sound
        return
    with copied(path) as copy:
        try:
            with open_audio(copy, reading) as sound:
                yield sound
        except LiveSerError as error:  # it names the copy
            raise type(error)(
                error.message.replace(str(copy), str(_name(path))), error.hint
            ) from error
