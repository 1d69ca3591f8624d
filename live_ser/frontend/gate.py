"""The speech gate: when is somebody speaking?

It looks at the sound before anything is normalised. Silero's detector does the hearing; in front of
it stand a floor, under which nothing is speech, and a slow gain, because the detector takes quiet
microphones for silence (speech at -75 dBFS scores under 0.02 without it, over 0.9 with it). The
detector was made for ordinary voices and takes many a shout for none; so it hears the same sound
slowed down, too, and what counts is the mean of both.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.frontend.silero import CHUNK, Silero
from live_ser.spec import GateSpec

RATE = 16_000
CHUNK_SECONDS = CHUNK / RATE

_TARGET = 0.1  # RMS that the gain aims at, -20 dBFS
_QUIETEST = _TARGET / 1000  # RMS under which the gain does not grow
_DECAY = 0.995  # of the level follower, per chunk: 1.4 dB/s
_SLOWED = 5 * CHUNK // 4  # samples of a chunk of slowed sound: all is four semitones lower

# Where its samples lie, from the last one of the chunk before to the last one of its own.
_PLACES = np.arange(1, _SLOWED + 1) * CHUNK / _SLOWED
_BELOW = np.minimum(_PLACES.astype(np.intp), CHUNK - 1)
_SHARE = (_PLACES - _BELOW).astype(np.float32)


class SpeechGate:
    """Speech probabilities of a signal that arrives in blocks.

    Args:
        rate: of the signal, in Hz. Another rate than the detector's is resampled.
        floor_db: RMS level in dB re full scale under which a chunk is not speech.
    """

    def __init__(self, rate: int, floor_db: float) -> None:
        self._detector = Silero()
        self._slowed = _Slowed()
        self._resample = _resampler(rate)
        self._floor = 10.0 ** (floor_db / 20)
        self._level = 0.0
        self._pending: Samples = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> NDArray[np.float32]:
        """Probabilities of the chunks that ``samples`` complete.

        Args:
            samples: float32 ``[n]``, mono.

        Returns:
            float32 ``[chunks]``, 0 to 1, one for each 32 ms since the start of the signal.
        """
        available = np.concatenate([self._pending, self._resample(samples)])
        count = len(available) // CHUNK
        self._pending = available[count * CHUNK :]
        chunks = available[: count * CHUNK].reshape(count, CHUNK)
        levels = np.sqrt(np.einsum("cs,cs->c", chunks, chunks, dtype=np.float64) / CHUNK)
        # What is under the floor does not reach the detector, which then remembers nothing of it.
        loud = levels >= self._floor
        probabilities = np.zeros(count, np.float32)
        raised = chunks[loud] * self._gains(levels)[loud]
        probabilities[loud] = (self._detector.push(raised) + self._slowed.push(raised)) / 2
        return probabilities

    def _gains(self, levels: NDArray[np.float64]) -> NDArray[np.float32]:
        """What each chunk is multiplied by, ``[chunks, 1]``."""
        followed = list(accumulate(levels.tolist(), _follow, initial=self._level))
        self._level = followed[-1]
        gains = _TARGET / np.maximum(followed[1:], _QUIETEST)
        return gains.astype(np.float32)[:, np.newaxis]


class _Slowed:
    """A detector that hears the sound slowed down, its pitch and formants lower."""

    def __init__(self) -> None:
        self._detector = Silero()
        self._newest: Samples = np.zeros(1, np.float32)
        self._pending: Samples = np.zeros(0, np.float32)

    def push(self, chunks: Samples) -> NDArray[np.float32]:
        """Probabilities of the next chunks, ``[n]``: what was heard by the end of each."""
        if not len(chunks):
            return np.zeros(0, np.float32)
        # Where in the pending sound each chunk begins; each is longer than a chunk of the detector.
        begins = len(self._pending) + np.arange(len(chunks)) * _SLOWED
        slow = np.concatenate([self._pending, self._slow(chunks)])
        count = len(slow) // CHUNK
        self._pending = slow[count * CHUNK :]
        detected = self._detector.push(slow[: count * CHUNK].reshape(count, CHUNK))
        return np.asarray(np.maximum.reduceat(detected, begins // CHUNK), np.float32)

    def _slow(self, chunks: Samples) -> Samples:
        """The chunks one after another, longer: between each sample and the one before it."""
        ends = chunks[:, -1]
        known = np.column_stack([np.concatenate([self._newest, ends[:-1]]), chunks])
        self._newest = ends[-1:]
        below, above = known[:, _BELOW], known[:, _BELOW + 1]
        return np.asarray((below + (above - below) * _SHARE).ravel(), np.float32)


def _follow(before: float, level: float) -> float:
    return max(level, before * _DECAY)


def speech_mask(samples: Samples, rate: int, gate: GateSpec) -> NDArray[np.bool_]:
    """Where a whole signal is speech: bool ``[chunks]``, one for each 32 ms."""
    return SpeechGate(rate, gate.floor_db).push(samples) >= gate.threshold


def frame_range(
    mask: NDArray[np.bool_], hop_seconds: float, frames: int, offset: float = 0.0
) -> tuple[int, int]:
    """The frames from the first to the last moment of speech.

    Args:
        mask: bool ``[chunks]``, as the gate gives it.
        hop_seconds: from one frame to the next.
        frames: how many there are.
        offset: seconds from the start of the first chunk to the start of the first frame.

    Returns:
        First frame and the frame after the last; equal where there is no speech.
    """
    speech = np.flatnonzero(mask)
    if not len(speech):
        return 0, 0
    start = (speech[0] * CHUNK_SECONDS - offset) / hop_seconds
    stop = ((speech[-1] + 1) * CHUNK_SECONDS - offset) / hop_seconds
    first = min(max(round(start), 0), frames)
    return first, max(first, min(round(stop), frames))


def _resampler(rate: int) -> Callable[[Samples], Samples]:
    if rate == RATE:
        return lambda samples: samples
    import soxr

    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32")
    resample: Callable[[Samples], Samples] = stream.resample_chunk
    return resample
