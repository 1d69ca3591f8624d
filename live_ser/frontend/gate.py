"""The speech gate: which 32 ms chunks of a signal are speech.

The detector is Silero's. Chunks below a level floor are not speech, and a slow automatic gain
precedes the detector, which otherwise misses quiet microphones (speech at -75 dBFS scores below
0.02 without the gain, above 0.9 with it). The detector also misses much shouting; so it is run a
second time on the sound slowed down, which lowers the pitch, and the mean of both is used.
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

_TARGET = 0.1  # RMS after the gain, -20 dBFS
_QUIETEST = _TARGET / 1000  # RMS below which the gain does not grow
_DECAY = 0.995  # of the level follower, per chunk: 1.4 dB/s
_SLOWED = 5 * CHUNK // 4  # samples of a chunk slowed down: four semitones lower

# Positions of these samples, from the last sample of the chunk before to the last of its own.
_PLACES = np.arange(1, _SLOWED + 1) * CHUNK / _SLOWED
_BELOW = np.minimum(_PLACES.astype(np.intp), CHUNK - 1)
_SHARE = (_PLACES - _BELOW).astype(np.float32)


class SpeechGate:
    """Speech probabilities of a signal that arrives in blocks.

    Args:
        rate: sample rate of the signal in Hz; it is resampled for the detector if necessary.
        floor_db: RMS level in dB re full scale below which a chunk is not speech.
    """

    def __init__(self, rate: int, floor_db: float) -> None:
        self._detector = Silero()
        self._slowed = _Slowed()
        self._resample = _resampler(rate)
        self._floor = 10.0 ** (floor_db / 20)
        self._level = 0.0
        self._pending: Samples = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> NDArray[np.float32]:
        """The speech probabilities of the chunks that ``samples`` complete.

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
        # Chunks below the floor do not reach the detector, and do not enter its state.
        loud = levels >= self._floor
        probabilities = np.zeros(count, np.float32)
        raised = chunks[loud] * self._gains(levels)[loud]
        probabilities[loud] = (self._detector.push(raised) + self._slowed.push(raised)) / 2
        return probabilities

    def _gains(self, levels: NDArray[np.float64]) -> NDArray[np.float32]:
        """The gain of each chunk, ``[chunks, 1]``."""
        followed = list(accumulate(levels.tolist(), _follow, initial=self._level))
        self._level = followed[-1]
        gains = _TARGET / np.maximum(followed[1:], _QUIETEST)
        return gains.astype(np.float32)[:, np.newaxis]


class _Slowed:
    """The detector on the sound slowed down, which lowers pitch and formants."""

    def __init__(self) -> None:
        self._detector = Silero()
        self._newest: Samples = np.zeros(1, np.float32)
        self._pending: Samples = np.zeros(0, np.float32)

    def push(self, chunks: Samples) -> NDArray[np.float32]:
        """The probabilities of the next chunks, ``[n]``."""
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
        """The chunks slowed down, by linear interpolation."""
        ends = chunks[:, -1]
        known = np.column_stack([np.concatenate([self._newest, ends[:-1]]), chunks])
        self._newest = ends[-1:]
        below, above = known[:, _BELOW], known[:, _BELOW + 1]
        return np.asarray((below + (above - below) * _SHARE).ravel(), np.float32)


def _follow(before: float, level: float) -> float:
    return max(level, before * _DECAY)


def speech_mask(samples: Samples, rate: int, gate: GateSpec) -> NDArray[np.bool_]:
    """The speech mask of a whole signal: bool ``[chunks]``, one for each 32 ms."""
    return SpeechGate(rate, gate.floor_db).push(samples) >= gate.threshold


def frame_range(
    mask: NDArray[np.bool_], hop_seconds: float, frames: int, offset: float = 0.0
) -> tuple[int, int]:
    """The range of log-mel frames from the first to the last speech.

    Args:
        mask: bool ``[chunks]``, the speech mask.
        hop_seconds: seconds from one frame to the next.
        frames: number of frames.
        offset: seconds from the start of the first chunk to the start of the first frame.

    Returns:
        The first frame and the frame after the last; equal if there is no speech.
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
