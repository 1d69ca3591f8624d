"""Where sound comes from: a microphone, a file, or a file replayed as if it were spoken now.

Each source is a context manager that gives an iterable of float32 blocks, mono, at the rate that
was asked for. Nothing downstream knows which one it was.
"""

from __future__ import annotations

import contextlib
import math
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from live_ser.devices import (
    BLOCK_SECONDS,
    InputStream,
    Interleaved,
    Opener,
    open_input,
)
from live_ser.errors import LiveSerError
from live_ser.features import Samples

QUEUE_SECONDS = 10.0  # of sound that waits at most; what is older is lost
STALL_SECONDS = 2.0  # without a callback, after which a microphone counts as gone
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)  # between attempts to have it back; the last one stays
_HEARTBEAT = 0.1
_OGG_PAGE_BYTES = 65307  # at most
_UNKNOWN_LENGTH = 2**50  # samples: what libsndfile says of FLAC that was written into a pipe
_LOUDEST = 1000.0  # full scale is 1: beyond this a file means something else by its numbers


@dataclass(frozen=True)
class Gap:
    """A stretch of time that was not heard.

    Attributes:
        seconds: how long it was.
        reason: why, in a word or two.
    """

    seconds: float
    reason: str


# Samples are [n]; n may be 0, which says that time goes by although nothing comes.
Block = Samples | Gap


class Source(Protocol):
    """Sound as it comes.

    Attributes:
        name: what to call it.
        native_rate: of the device or file, in Hz, before resampling.
        overflows: how often sound was lost because nobody took it in time.
        backlog: seconds of sound that wait to be taken.
        message: what the user should know of it now; empty where all is well.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def native_rate(self) -> int: ...  # noqa: D102

    @property
    def overflows(self) -> int: ...  # noqa: D102

    @property
    def backlog(self) -> float: ...  # noqa: D102

    @property
    def message(self) -> str: ...  # noqa: D102

    def __iter__(self) -> Iterator[Block]: ...


@contextmanager
def microphone(
    device: int | str | None,
    rate: int,
    *,
    channels: int | None = None,
    channel: int | None = None,
    reconnect: bool = True,
    opener: Opener = open_input,
) -> Iterator[Source]:
    """Listen to a microphone, for as long as the block of ``with`` lasts.

    Args:
        device: index, part of a name, or None for the default one.
        rate: of the blocks, in Hz; a device that has another one is resampled.
        channels: how many to record; None for as few as the device lets.
        channel: which of them to hear, from 1; None for their mean.
        reconnect: when the device goes away, wait for it to come back.
        opener: opens the device.

    Raises:
        LiveSerError: the device cannot be opened; or, while iterating and with ``reconnect`` off,
            it went away.
    """
    if channel is not None and not 1 <= channel <= (channels or channel):
        raise LiveSerError(f"no channel {channel} in {channels} channels", "count them from 1")
    mic = _Microphone(
        partial(opener, rate=rate, channels=channels or channel),
        device=device,
        rate=rate,
        channel=channel,
        reconnect=reconnect,
    )
    try:
        yield mic
    finally:
        mic.close()


@contextmanager
def audio_file(path: str | Path, rate: int) -> Iterator[AudioFile]:
    """Read a sound file, whatever its format, rate and number of channels.

    Args:
        path: of the file.
        rate: of the blocks, in Hz.

    Raises:
        LiveSerError: it is not a sound file, or a broken one; some of that shows while iterating.
    """
    with _open_audio(Path(path)) as sound:
        yield AudioFile(path, sound, rate, block=1.0, speed=0.0)


@contextmanager
def replay(
    path: str | Path,
    rate: int,
    speed: float = 1.0,
    *,
    endless: bool = False,
    name: str | None = None,
) -> Iterator[Source]:
    """Read a sound file at the pace at which it was spoken.

    Args:
        path: of the file.
        rate: of the blocks, in Hz.
        speed: 2 is twice as fast; 0 is as fast as it goes.
        endless: begin again where it ends.
        name: to show; that of the file if None.

    Raises:
        LiveSerError: as :func:`audio_file`.
    """
    with _open_audio(Path(path)) as sound:
        source = AudioFile(path, sound, rate, block=BLOCK_SECONDS, speed=speed, endless=endless)
        source.name = name or source.name
        yield source


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
    ) -> None:
        self.name = Path(path).name
        self.native_rate: int = sound.samplerate
        self._path, self._sound, self._rate = path, sound, rate
        self._block, self._speed, self._endless = block, speed, endless

    def __iter__(self) -> Iterator[Samples]:
        while True:
            due = time.monotonic()
            for samples in self._resampled():
                yield samples
                if self._speed:
                    # After a halt the pace goes on from there, it does not catch up.
                    due = max(due, time.monotonic() - 1.0) + len(samples) / self._rate / self._speed
                    yield from _wait_until(due)
            if not self._endless:
                return
            self._sound.seek(0)

    def _resampled(self) -> Iterator[Samples]:
        resample = _Resampler(self._sound.samplerate, self._rate)
        for samples in self._mono():
            yield resample.push(samples)
        yield resample.finish()

    def _mono(self) -> Iterator[Samples]:
        frames = max(1, round(self._sound.samplerate * self._block))
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
            yield block.mean(axis=1, dtype=np.float32)
        if read < self._sound.frames < _UNKNOWN_LENGTH:
            raise _truncated(self._path, read, self._sound)

    def _check(self, block: Interleaved, read: int) -> None:
        good = np.abs(block) < _LOUDEST  # false for what is not a number, too
        if good.all():
            return
        frame, channel = np.argwhere(~good)[0]
        value = float(block[frame, channel])
        at = (read + int(frame)) / self._sound.samplerate
        raise LiveSerError(
            f"{self._path} holds a sample of {value:g} at {at:.2f} s, where full scale is 1",
            "write it again as 16-bit WAV or FLAC",
        )


class _Microphone:
    """A device, its watch, and the way back to it when it goes away."""

    def __init__(
        self,
        open_line: Callable[..., InputStream],
        *,
        device: int | str | None,
        rate: int,
        channel: int | None,
        reconnect: bool,
    ) -> None:
        self._open_line, self._device, self._rate = open_line, device, rate
        self._channel, self._reconnect = channel, reconnect
        self._lost = 0  # times that sound waited too long to be taken
        self._earlier_overflows = 0  # of lines that are closed
        self._gone_since: float | None = None
        self._attempts = 0
        self.message = ""
        self._line = _Line(partial(open_line, device))

    @property
    def name(self) -> str:
        return self._line.stream.name

    @property
    def native_rate(self) -> int:
        return self._line.stream.rate

    @property
    def overflows(self) -> int:
        return self._lost + self._earlier_overflows + self._line.overflows

    @property
    def backlog(self) -> float:
        return self._line.backlog

    def close(self) -> None:
        self._line.stream.close()

    def __iter__(self) -> Iterator[Block]:
        resample = _Resampler(self._line.stream.rate, self._rate)
        while True:
            try:
                gap, block = self._line.take(_HEARTBEAT)
            except queue.Empty:
                yield _NOTHING
                if self._line.silent_for > STALL_SECONDS:
                    yield from self._connect_again()
                    resample = _Resampler(self._line.stream.rate, self._rate)
                continue
            if self._gone_since is not None:
                gap = Gap(self._line.heard_since - self._gone_since, "microphone gone")
                self._gone_since, self._attempts, self.message = None, 0, ""
            if gap is not None:
                self._lost += gap.reason == "overflow"
                resample = _Resampler(self._line.stream.rate, self._rate)
                yield gap
            yield resample.push(self._mono(block))

    def _mono(self, block: Interleaved) -> Samples:
        if not np.isfinite(block).all():  # drivers have been seen to give what is not a number
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        if self._channel is None:
            mean: Samples = block.mean(axis=1, dtype=np.float32)
            return mean
        return np.ascontiguousarray(block[:, self._channel - 1])

    def _connect_again(self) -> Iterator[Block]:
        """Try until a device opens; nothing comes meanwhile, but time goes by."""
        gone = f"{self.name} stopped delivering sound"
        if not self._reconnect:
            raise LiveSerError(gone, "plug it in again; without --no-reconnect it is waited for")
        if self._gone_since is None:
            self._gone_since = self._line.last_heard
        self._earlier_overflows += self._line.overflows
        old: _Line | None = self._line
        while True:
            self.message = f"{gone}; trying to have it back"
            wait = RETRY_SECONDS[min(self._attempts, len(RETRY_SECONDS) - 1)]
            yield from _wait_until(time.monotonic() + wait)
            # The same device first; the default one when that stays away.
            device = self._device if self._attempts < len(RETRY_SECONDS) else None
            self._attempts += 1
            attempt = _Attempt(partial(self._open_line, device, rescan=True), old)
            while attempt.is_alive():
                yield from _wait_until(time.monotonic() + _HEARTBEAT)
            if attempt.line is not None:
                self._line = attempt.line
                return
            old = None  # the attempt closed it


class _Line:
    """One connection to a device: a callback that only copies, and a bounded queue behind it."""

    def __init__(self, open_stream: Callable[..., InputStream]) -> None:
        self.overflows = 0
        self.last_heard = self.heard_since = self._taken_at = _clock()
        self._queue: queue.SimpleQueue[tuple[int, float, Interleaved]] = queue.SimpleQueue()
        self._captured = self._taken = 0  # samples of a channel
        self._oldest = 0  # the first one that waits
        self._most = math.inf  # that may wait
        self.stream = open_stream(callback=self._callback)
        self._most = QUEUE_SECONDS * self.stream.rate

    @property
    def backlog(self) -> float:
        """Seconds of sound that wait to be taken."""
        return (self._captured - self._taken) / self.stream.rate

    @property
    def silent_for(self) -> float:
        """Seconds since the device called back."""
        return _clock() - self.last_heard

    def take(self, timeout: float) -> tuple[Gap | None, Interleaved]:
        """The oldest block that waits, and what is missing before it.

        Raises:
            queue.Empty: none came within ``timeout`` seconds.
        """
        start, heard_at, block = self._queue.get(timeout=timeout)
        lost = (start - self._taken) / self.stream.rate
        silent = heard_at - self._taken_at - lost - len(block) / self.stream.rate
        first = self._taken == 0
        self._taken = self._oldest = start + len(block)
        self._taken_at = heard_at
        if lost:
            return Gap(lost, "overflow"), block
        if silent > STALL_SECONDS and not first:
            return Gap(silent, "nothing came"), block  # the machine slept, perhaps
        return None, block

    def _callback(self, block: Interleaved, overflow: bool) -> None:
        self.last_heard = _clock()
        if not self._captured:
            self.heard_since = self.last_heard
        self.overflows += overflow
        with contextlib.suppress(queue.Empty):
            while self._captured + len(block) - self._oldest > self._most:  # the newest wins
                start, _, dropped = self._queue.get_nowait()
                self._oldest = start + len(dropped)
        self._queue.put_nowait((self._captured, self.last_heard, block.copy()))
        self._captured += len(block)


class _Attempt(threading.Thread):
    """One attempt to have a device back, in a thread: a lost device can keep its caller waiting."""

    def __init__(self, open_stream: Callable[..., InputStream], old: _Line | None) -> None:
        super().__init__(daemon=True)
        self.line: _Line | None = None
        self._open_stream, self._old = open_stream, old
        self.start()

    def run(self) -> None:
        if self._old is not None:
            self._old.stream.close()
        with contextlib.suppress(LiveSerError):
            self.line = _Line(self._open_stream)


class _Resampler:
    """A stream at another rate; blocks resampled one by one would click where they meet."""

    def __init__(self, source_rate: int, rate: int) -> None:
        self._stream: Any = None
        if source_rate != rate:
            import soxr

            self._stream = soxr.ResampleStream(source_rate, rate, 1, dtype="float32")

    def push(self, samples: Samples) -> Samples:
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples)
        return resampled

    def finish(self) -> Samples:
        """What the filter still holds."""
        if self._stream is None:
            return _NOTHING
        rest: Samples = self._stream.resample_chunk(_NOTHING, last=True)
        return rest


_NOTHING: Samples = np.zeros(0, np.float32)


def _clock() -> float:
    """Seconds that go on while the machine sleeps, where the system has a clock that does."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if boot_time is None and sys.platform == "darwin":
        boot_time = time.CLOCK_MONOTONIC
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


def _wait_until(moment: float) -> Iterator[Samples]:
    """Sleep, but say now and then that time goes by."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, _HEARTBEAT))
        yield _NOTHING


@contextmanager
def _open_audio(path: Path) -> Iterator[Any]:
    """The open ``soundfile.SoundFile`` of a path, with the plainly unusable refused."""
    if not path.exists():
        raise LiveSerError(f"there is no file {path}", "check the name")
    if path.is_dir():
        raise LiveSerError(f"{path} is a folder, not a sound file", "name the files in it")
    if not path.is_file():
        raise LiveSerError(f"{path} is not a regular file", "copy the sound into one")
    # Through Python's own file: a name may hold bytes that are no text.
    try:
        raw = path.open("rb")
    except OSError as error:
        raise LiveSerError(f"cannot read {path}: {error.strerror}", "check its rights") from error
    with raw, _decoder(path, raw) as sound:
        yield sound


def _decoder(path: Path, raw: BinaryIO) -> Any:
    import soundfile

    if path.stat().st_size == 0:
        raise LiveSerError(f"{path} is empty", "record or copy it again")
    try:
        sound = soundfile.SoundFile(raw)
    except (soundfile.LibsndfileError, TypeError, OSError) as error:
        raise LiveSerError(
            f"{path} is not a sound file that can be read",
            "WAV, FLAC, OGG, MP3 and AIFF can; ffmpeg converts others",
        ) from error
    if sound.frames == 0:
        raise LiveSerError(f"{path} holds no sound: zero samples", "record it again")
    if _is_cut(raw, sound):
        raise LiveSerError(
            f"{path} is truncated: its header promises more than there is",
            "copy or record it again",
        )
    return sound


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
