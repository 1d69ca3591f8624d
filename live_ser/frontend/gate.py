"""The speech gate: which 32 ms chunks of a signal are speech.

The detector is Silero's. Chunks below a level floor are not speech, and a slow automatic gain
precedes the detector, which otherwise misses quiet microphones. The gain raises the noise of a
pause only a little: after loud noise the detector misses much shouting, and takes other noise for
speech. It still misses some shouting; so it is run a second time on the sound slowed down, which
lowers the pitch, and the mean of both is used.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.frontend.dc_blocker import block_dc
from live_ser.frontend.silero import CHUNK, Silero
from live_ser.spec import GateSpec

RATE = 16_000
CHUNK_SECONDS = CHUNK / RATE

_TARGET = 0.2  # RMS of the loudest sound after the gain, -14 dBFS
_NOISE = 0.006  # RMS up to which the gain raises noise, -44 dBFS
_USUAL_NOISE = 0.001  # RMS of the noise until it is known, -60 dBFS
_QUIETEST = 1e-5  # RMS, -100 dBFS: what 16 bits cannot tell from digital silence
_DECAY = 0.995  # of the level follower, per chunk: 1.4 dB/s
_FALL, _RISE = 0.97, 1.02  # of the noise follower, per chunk: 8.3 and 5.4 dB/s
_SLOWED = 3 * CHUNK // 2  # samples of a chunk slowed down: seven semitones lower


class SpeechGate:
    """Speech probabilities of a signal that arrives in blocks.

    Args:
        rate: sample rate of the signal in Hz; it is resampled for the detector if necessary.
        floor_db: RMS level in dB re full scale below which a chunk is not speech.
    """

    def __init__(self, rate: int, floor_db: float) -> None:
        self._detector = Silero(signals=2)
        self._slowed = _Slowed()
        self._resample = _resampler(rate)
        self._floor = 10.0 ** (floor_db / 20)
        self._level = _QUIETEST
        self._noise = _USUAL_NOISE
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
        if len(raised):
            slow, firsts = self._slowed.push(raised)
            detected, plain = self._detector.push(slow, raised)
            probabilities[loud] = (plain + np.maximum.reduceat(detected, firsts)) / 2
        return probabilities

    def _gains(self, levels: NDArray[np.float64]) -> NDArray[np.float32]:
        """The gain of each chunk, ``[chunks, 1]``."""
        audible = np.maximum(levels, _QUIETEST).tolist()
        loudest = list(accumulate(audible, _follow_level, initial=self._level))
        noise = list(accumulate(audible, _follow_noise, initial=self._noise))
        self._level, self._noise = loudest[-1], noise[-1]
        # Quiet sound is raised, but noise only up to its limit; loud sound is lowered.
        limits = np.maximum(_NOISE / np.array(noise[1:]), 1)
        gains = np.minimum(_TARGET / np.array(loudest[1:]), limits)
        return gains.astype(np.float32)[:, np.newaxis]


class _Slowed:
    """Sound slowed down, which lowers pitch and formants."""

    def __init__(self) -> None:
        self._newest: Samples = np.zeros(1, np.float32)
        self._pending: Samples = np.zeros(0, np.float32)

    def push(self, chunks: Samples) -> tuple[Samples, NDArray[np.intp]]:
        """Add chunks, and return the chunks of slow sound that they complete.

        Returns:
            Chunks, at least as many; and in which of them each of the given ones begins.
        """
        begins = len(self._pending) + np.arange(len(chunks)) * _SLOWED
        slow = np.concatenate([self._pending, self._slow(chunks)])
        count = len(slow) // CHUNK
        self._pending = slow[count * CHUNK :]
        return slow[: count * CHUNK].reshape(count, CHUNK), begins // CHUNK

    def _slow(self, chunks: Samples) -> Samples:
        """The chunks slowed down, by linear interpolation: three samples for two."""
        known = np.concatenate([self._newest, chunks.ravel()])
        self._newest = known[-1:]
        first, second, third = known[:-1:2], known[1::2], known[2::2]
        slow = np.empty((len(third), 3), np.float32)
        slow[:, 0] = (first + 2 * second) / 3
        slow[:, 1] = (2 * second + third) / 3
        slow[:, 2] = third
        return slow.ravel()


def _follow_level(before: float, level: float) -> float:
    return max(level, before * _DECAY)


def _follow_noise(before: float, level: float) -> float:
    return min(max(level, before * _FALL), before * _RISE)


def speech_mask(samples: Samples, rate: int, gate: GateSpec) -> NDArray[np.bool_]:
    """The speech mask of a whole signal, as the runtime finds it.

    Args:
        samples: float32 ``[n]``, mono; a DC offset makes no difference.
        rate: sample rate in Hz.
        gate: settings of the speech gate.

    Returns:
        bool ``[chunks]``, one for each 32 ms.
    """
    return SpeechGate(rate, gate.floor_db).push(block_dc(samples, rate)) >= gate.threshold


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
