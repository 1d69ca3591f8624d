"""Where sound comes from: a microphone, a file, or a file replayed as if it were spoken now.

Each source is a context manager that gives an iterable of float32 blocks, mono, at the rate that
was asked for. Nothing downstream knows which one it was.
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

Sound = str | os.PathLike[str] | BinaryIO | ArrayLike  # what a recording may be given as


class Recording(Protocol):
    """The sound of a recording, in blocks.

    Attributes:
        missing: what is missing of it, as far as it was read.
        notes: what the user should know of it once, as far as it was read.
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
    """Listen to a microphone, for as long as the block of ``with`` lasts.

    Args:
        device: index, part of a name, or None for the default one.
        rate: of the blocks, in Hz; a device that has another one is resampled.
        channels: how many to record; None for as many as it takes, see
            :func:`live_ser.audio.devices.open_input`.
        channel: which of them to hear, from 1; None for their mean, or one of them where that is
            lost.
        each_channel: whether each of them is classified separately.
        names: of who speaks in each channel then.
        reconnect: when the device goes away, wait for it to come back.
        opener: opens the device.

    Raises:
        DeviceError: the device cannot be opened; or, while iterating and with ``reconnect`` off,
            it went away.
    """
    reading = Reading(channel, each_channel=each_channel, names=names)
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
    """Open a recording, however it is given.

    Args:
        sound: path of a sound file, binary file object that holds one, or samples ``[n]``,
            ``[n, channels]`` or ``[1, n]``.
        rate: of the samples, in Hz.
        wanted: sample rate of the blocks, in Hz.
        reading: how it is read; of samples only the channels can be chosen.

    Raises:
        AudioError: it is no sound; or sound is missing, and ``partial`` is off; some of that
            shows while iterating.
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
    """Read a sound file, whatever its format, rate and number of channels.

    Args:
        path: of the file; a pipe or an open binary file is read to its end first, and ``"-"`` is
            standard input.
        rate: of the blocks, in Hz.
        reading: how it is read; with ``partial``, what there is of a file of which sound is missing
            is given, and ``missing`` of what is yielded tells what that is.

    Raises:
        AudioError: it is not a sound file; or sound is missing, and ``partial`` is off; some of
            that shows while iterating.
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
    """Read a sound file at the pace at which it was spoken.

    Args:
        path: of the file.
        rate: of the blocks, in Hz.
        speed: 2 is twice as fast; 0 is as fast as it goes.
        endless: begin again where it ends.
        name: to show; that of the file if None.
        reading: how it is read.

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
    """Hear sound as it comes through a pipe, at whatever pace that is.

    Args:
        path: of a named pipe; ``"-"`` is standard input.
        rate: of the blocks, in Hz.
        reading: how it is read; without ``raw`` it has to be WAV.

    Raises:
        AudioError: as :func:`audio_file`.
    """
    name = name_of_pipe(path)
    with opened_pipe(path) as stream, PipeDecoder(stream, name, reading.raw) as sound:
        yield PipedSound(sound, name, rate, reading)


def _name(path: str | Path | BinaryIO) -> str | Path:
    """What to call a source of sound."""
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
        except LiveSerError as error:  # said of the copy
            raise type(error)(
                error.message.replace(str(copy), str(_name(path))), error.hint
            ) from error
