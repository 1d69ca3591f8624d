"""Sliding windows over sound that arrives in blocks.

Windows end at every multiple of the hop from the start of the source, and begin one window earlier
or where hearing began. What is left after the last whole hop makes one last window. However the
sound is cut into blocks, the windows are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from live_ser.features import Frames, FrameStream, Samples
from live_ser.samples import checked_block
from live_ser.spec import ModelInfo
from live_ser.speech import CHUNK_SECONDS, SpeechGate, frame_range

PAUSE_SECONDS = 1.0  # without speech, after which what comes is another utterance
_QUIETEST = 1e-6  # RMS: digital silence is shown as -120 dB


@dataclass(frozen=True)
class Window:
    """What was heard in one stretch of time.

    Attributes:
        start: seconds from the start of the source.
        end: seconds from the start of the source.
        frames: float32 ``[frames, n_mels]``, the log-mel frames that lie wholly within.
        mask: bool ``[chunks]``, which chunks of the speech gate that lie wholly within are speech
            of the newest utterance.
        offset: seconds from the start of the first chunk to the start of the first frame.
        since_speech: seconds since speech was last heard; None if it never was.
        level_db: RMS of the newest hop in dB re full scale.
        new_frames: float32 ``[frames, n_mels]``, those that no window before it held.
        new_mask: bool ``[chunks]``, which of the chunks that no window before it held are speech.
    """

    start: float
    end: float
    frames: Frames
    mask: NDArray[np.bool_]
    offset: float
    since_speech: float | None
    level_db: float
    new_frames: Frames
    new_mask: NDArray[np.bool_]

    @property
    def evidence(self) -> float:
        """Seconds of speech."""
        return float(np.count_nonzero(self.mask)) * CHUNK_SECONDS

    @property
    def speech(self) -> float:
        """Share of the window that is speech, 0 to 1."""
        return min(1.0, self.evidence / (self.end - self.start))

    def spoken(self, hop_seconds: float) -> Frames:
        """The frames from the first to the last moment of speech.

        Args:
            hop_seconds: from one frame to the next.
        """
        first, stop = frame_range(self.mask, hop_seconds, len(self.frames), self.offset)
        return self.frames[first:stop]


class WindowStream:
    """Windows of a signal that arrives in blocks.

    Args:
        info: of the model that will judge them.
        hop: seconds from one window to the next.
    """

    def __init__(self, info: ModelInfo, hop: float) -> None:
        self._info = info
        self._rate = info.features.sample_rate
        self._hop = max(1, round(hop * self._rate))
        self._length = round(info.window * self._rate)
        self._position = 0  # samples from the start of the source, of what windows were made of
        self._last_speech: float | None = None
        self._waiting: list[Samples] = []
        self._waits = 0  # samples in it
        self._begin()

    def push(self, samples: ArrayLike) -> Iterator[Window]:
        """The windows that ``samples`` complete.

        Args:
            samples: ``[n]``, mono at the model's rate, as :func:`checked_block` takes them.

        Raises:
            LiveSerError: this is no sound.
        """
        block = checked_block(samples)
        self._waiting.append(block)
        self._waits += len(block)
        while self._waits >= (step := self._hop - self._position % self._hop):
            heard = np.concatenate(self._waiting)
            self._waiting, self._waits = [heard[step:]], len(heard) - step
            yield self._window(heard[:step])

    def finish(self) -> Iterator[Window]:
        """The window that ends where the source does; none if the last one did."""
        if self._waits:
            rest = np.concatenate(self._waiting)
            self._waiting, self._waits = [], 0
            yield self._window(rest)

    def gap(self, seconds: float) -> None:
        """Let time go by that was not heard: no window holds sound from both sides of it."""
        self._position += self._waits + round(seconds * self._rate)
        self._begin()

    @property
    def seconds(self) -> float:
        """From the start of the source to the newest sample."""
        return (self._position + self._waits) / self._rate

    def _begin(self) -> None:
        """Hear as if for the first time."""
        self._origin = self._position
        self._waiting, self._waits = [], 0
        self._frames = Ring(np.zeros((0, self._info.features.n_mels), np.float32))
        self._mask = Ring(np.zeros(0, np.bool_))
        self._frame_stream = FrameStream(self._info.features)
        self._gate = SpeechGate(self._rate, self._info.gate.floor_db)

    def _window(self, heard: Samples) -> Window:
        spec, gate = self._info.features, self._info.gate
        self._position += len(heard)
        new_frames = self._frame_stream.push(heard)
        new_mask = self._gate.push(heard) >= gate.threshold
        self._frames.push(new_frames)
        self._mask.push(new_mask)

        # In samples and seconds from the origin, where frames and chunks begin.
        stop = self._position - self._origin
        start = max(0, stop - self._length)
        first_frame = -(-start // spec.hop_length)
        first_chunk = int(np.ceil(start / self._rate / CHUNK_SECONDS - 1e-9))
        self._frames.drop_before(first_frame)
        self._mask.drop_before(first_chunk)

        spoken = np.flatnonzero(self._mask.items)
        origin, end = self._origin / self._rate, self._position / self._rate
        if len(spoken):
            last = self._mask.first + int(spoken[-1]) + 1
            self._last_speech = min(end, origin + last * CHUNK_SECONDS)
        return Window(
            start=(self._origin + start) / self._rate,
            end=end,
            frames=self._frames.items,
            mask=_newest_utterance(self._mask.items),
            offset=first_frame * spec.hop_length / self._rate - first_chunk * CHUNK_SECONDS,
            since_speech=None if self._last_speech is None else end - self._last_speech,
            level_db=level_db(heard),
            new_frames=new_frames,
            new_mask=new_mask,
        )


def _newest_utterance(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without what was said before the last long pause: it may have sounded otherwise."""
    spoken = np.flatnonzero(mask)
    long = np.flatnonzero(np.diff(spoken) > PAUSE_SECONDS / CHUNK_SECONDS)
    if not len(long):
        return mask
    newest = mask.copy()
    newest[: spoken[long[-1] + 1]] = False
    return newest


def level_db(samples: Samples) -> float:
    """RMS in dB re full scale; -120 for digital silence, 0 for a square wave at full scale."""
    if not len(samples):
        return 20 * float(np.log10(_QUIETEST))
    rms = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    return 20 * float(np.log10(max(rms, _QUIETEST)))


class Ring:
    """The newest of a row of things, by their number in it.

    Attributes:
        items: that are kept.
        first: number of the first of them.
    """

    def __init__(self, empty: NDArray) -> None:  # type: ignore[type-arg]
        self.items = empty
        self.first = 0

    @property
    def stop(self) -> int:
        """Number of the next one to come."""
        return self.first + len(self.items)

    def push(self, items: NDArray) -> None:  # type: ignore[type-arg]
        """Add the next ones."""
        self.items = np.concatenate([self.items, items])

    def between(self, start: int, stop: int) -> NDArray:  # type: ignore[type-arg]
        """Those of these numbers that are kept."""
        return self.items[max(0, start - self.first) : max(0, stop - self.first)]

    def drop_before(self, number: int) -> None:
        """Keep those from this number on."""
        drop = min(max(0, number - self.first), len(self.items))
        self.items = self.items[drop:]
        self.first += drop
