"""Sound from a pipe: standard input, a named pipe, or ``<(...)`` of a shell."""

from __future__ import annotations

import io
import os
import queue
import select
import shutil
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from live_ser.audio.blocks import HEARTBEAT, NOTHING, Interleaved, Samples, Voice
from live_ser.audio.channels import mixer
from live_ser.audio.decoder import Decoder
from live_ser.audio.devices import BLOCK_SECONDS
from live_ser.audio.files import check_rate, check_scale
from live_ser.audio.raw_sound import RAW_EXAMPLE, RawFormat
from live_ser.audio.reading import Reading
from live_ser.audio.resampler import Resampler
from live_ser.audio.wav_header import read_wav_header
from live_ser.errors import AudioError, InvalidArgument, unreadable
from live_ser.system.temporary import temporary_folder

STANDARD_INPUT = "-"
_PATIENCE = 10.0  # seconds to wait for a writer of a named pipe
_WAITING_BLOCKS = 8  # in the queue at most; a faster writer waits


def is_pipe(path: str | Path) -> bool:
    """Whether a path is a pipe; ``-`` is standard input."""
    if path == STANDARD_INPUT:
        return True
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def name_of_pipe(path: str | Path) -> str:
    """The name of a pipe, for messages; ``<(...)`` has only a number."""
    if path == STANDARD_INPUT:
        return "standard input"
    return "a pipe" if _is_anonymous(path) else Path(path).name


@contextmanager
def opened_pipe(path: str | Path, patience: float | None = None) -> Iterator[io.FileIO]:
    """Open a pipe, unbuffered; a named pipe is opened once it has a writer.

    Args:
        path: path of the pipe; ``-`` for standard input.
        patience: seconds to wait for a writer; None for no limit.

    Raises:
        AudioError: it cannot be read, is a terminal, or has no writer.
    """
    if path == STANDARD_INPUT:
        if sys.stdin.isatty():
            raise InvalidArgument(
                "standard input is a terminal, and no sound",
                "pipe sound into it, as from: arecord -f cd",
            )
        with io.FileIO(sys.stdin.fileno(), closefd=False) as stream:
            yield stream
        return
    try:
        if patience is None or _is_anonymous(path):
            stream = io.FileIO(path)
        else:
            stream = _opened_within(path, patience)
    except OSError as error:
        raise unreadable(path, error, AudioError) from error
    with stream:
        yield stream


def _is_anonymous(path: str | Path) -> bool:
    """Whether a pipe is ``<(...)`` of a shell, which has a writer."""
    return str(path).startswith(("/dev/fd/", "/proc/"))


def _opened_within(path: str | Path, patience: float) -> io.FileIO:
    """A named pipe, once it has data."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not select.select([descriptor], [], [], patience)[0]:
        os.close(descriptor)
        raise AudioError(
            f"{path} is a pipe into which nobody writes", "begin what writes into it first"
        )
    os.set_blocking(descriptor, True)
    return io.FileIO(descriptor)


@contextmanager
def copied(source: str | Path | BinaryIO) -> Iterator[Path]:
    """A temporary file with the content of a pipe or a stream.

    Args:
        source: path of a pipe, or an open binary file, which stays open.
    """
    with ExitStack() as stack:
        stream: Any = source
        if isinstance(source, str | Path):
            stream = stack.enter_context(opened_pipe(source, _PATIENCE))
        copy = stack.enter_context(temporary_folder()) / "sound"
        with copy.open("xb") as file:
            _check_readable(stream)
            shutil.copyfileobj(stream, file)
        yield copy


def _check_readable(stream: Any) -> None:
    """Check that bytes can be read from a file object.

    Raises:
        InvalidArgument: it is closed, or open as text or for writing.
    """
    hint = 'open it with mode "rb"'
    try:
        nothing = stream.read(0)
    except ValueError as error:  # as io.UnsupportedOperation is, too
        why = "closed" if getattr(stream, "closed", False) else "not open for reading"
        raise InvalidArgument(f"sound: the file is {why}", hint) from error
    if isinstance(nothing, str):
        raise InvalidArgument("sound: the file is open as text", hint)


class PipeDecoder(Decoder):
    """Decodes sound from a pipe: WAV, or raw samples.

    Args:
        stream: the pipe, unbuffered.
        name: name for messages.
        raw: format of raw samples; None for WAV.

    Raises:
        AudioError: the format is unknown.
    """

    frames = None

    def __init__(self, stream: io.FileIO, name: str, raw: RawFormat | None) -> None:
        self._stream = stream
        self._left: int | None = None  # bytes of sound, according to the header
        self._rest = b""  # less than a frame
        self._came = False  # whether any byte did
        form = raw
        if form is None:
            header = read_wav_header(self._exactly)
            if not self._came:
                raise AudioError(f"{name} ended before any sound came", "see what writes it")
            if header is None:
                raise AudioError(
                    f"what comes through {name} is not WAV, and nothing says what else it is",
                    f"{RAW_EXAMPLE}; or first through: ffmpeg -i - -f wav -",
                )
            form, self._left = header
        self._form = form
        self.rate, self.channels = form.rate, form.channels

    def read(self, frames: int) -> Interleaved:
        """Read the frames that are available; empty at the end."""
        size = self._form.frame_bytes
        while len(self._rest) < size:
            data = self._more(frames * size - len(self._rest))
            if not data:
                return np.zeros((0, self.channels), np.float32)
            self._rest += data
        whole = len(self._rest) // size * size
        block, self._rest = self._form.decoded(self._rest[:whole]), self._rest[whole:]
        return block

    def rewind(self) -> None:
        """Not possible with a pipe."""
        raise AudioError("a pipe can be read once", "copy the sound into a file")

    def close(self) -> None:
        """Does nothing: the caller closes the pipe."""

    def _more(self, limit: int) -> bytes:
        if self._left is None:
            return self._stream.read(limit) or b""
        if self._left == 0:
            # All of the stated size is read: other chunks follow, or more sound.
            data, self._left = self._exactly(4), None
            return b"" if data.isascii() and data.decode("ascii").isprintable() else data
        data = self._stream.read(min(limit, self._left)) or b""
        self._left -= len(data)
        return data

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (more := self._stream.read(size - len(data))):
            data += more
            self._came = True
        return data


class PipedSound:
    """A :class:`~live_ser.audio.blocks.Source` for sound from a pipe, at whatever pace.

    Args:
        sound: the decoder of the pipe.
        name: name to show.
        rate: sample rate of the blocks in Hz.
        reading: which channel to use, or whether each is classified separately.

    Raises:
        AudioError: there is no such channel; or, while iterating, it is not sound.
    """

    overflows = 0
    backlog = behind = 0.0
    message = ""

    def __init__(self, sound: Decoder, name: str, rate: int, reading: Reading) -> None:
        check_rate(name, sound.rate)
        self.name, self.native_rate = name, sound.rate
        self._sound, self._rate = sound, rate
        self._mix = mixer(sound.channels, sound.rate, reading)
        self._blocks: queue.Queue[Interleaved | Exception] = queue.Queue(_WAITING_BLOCKS)

    @property
    def notes(self) -> list[str]:
        """Warnings for the user."""
        return [f"{self.name}: {note}" for note in self._mix.notes]

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voices of the channels, if they are classified separately."""
        return self._mix.voices

    def __iter__(self) -> Iterator[Samples]:
        # In a thread: reading blocks, and empty blocks are due meanwhile.
        threading.Thread(target=self._read, daemon=True).start()
        resample, position = Resampler(self.native_rate, self._rate, len(self.voices)), 0
        while True:
            try:
                block = self._blocks.get(timeout=HEARTBEAT)
            except queue.Empty:
                yield NOTHING
                continue
            if isinstance(block, Exception):
                raise block
            if not len(block):
                break
            check_scale(block, self.name, position, self.native_rate)
            position += len(block)
            yield resample.push(self._mix.push(block))
        yield resample.push(self._mix.finish())
        yield resample.finish()

    def _read(self) -> None:
        frames = round(self.native_rate * BLOCK_SECONDS)
        try:
            while True:
                block = self._sound.read(frames)
                self._blocks.put(block)
                if not len(block):
                    return
        except Exception as error:  # raised in the iterating thread
            self._blocks.put(error)
