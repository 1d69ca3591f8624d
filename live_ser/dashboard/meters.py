"""What the dashboard measures by itself: level, spectrogram, load."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.frontend.features import Frames, FrameStream
from live_ser.spec import FeatureSpec

QUIET = -120.0  # dB re full scale under which no level is told apart


@dataclass(frozen=True)
class Level:
    """The input level.

    Attributes:
        rms: in dB re full scale.
        peak: highest sample of the last moments, held, in dB re full scale.
        clipped: whether samples reached full scale in the last seconds.
    """

    rms: float = -120.0
    peak: float = -120.0
    clipped: bool = False


class Meter:
    """Level with peak hold and a clipping mark, of a signal that arrives in blocks."""

    _ATTACK = 0.1  # seconds that the RMS level looks back, about
    _HOLD = 1.5  # seconds that a peak stands before it falls
    _FALL = 20.0  # dB per second
    _CLIP = 0.999  # of full scale
    _CLIP_HOLD = 3.0  # seconds that the mark stands

    def __init__(self) -> None:
        self._now = 0.0
        self._power = 0.0
        self._peak = QUIET
        self._peak_at = 0.0
        self._clipped_at = -math.inf

    def push(self, block: Samples, now: float) -> None:
        """Hear a block.

        Args:
            block: float32 ``[n]``.
            now: seconds from the start of the signal to the end of the block.
        """
        if not len(block):
            return
        weight = 1.0 - math.exp(-(now - self._now) / self._ATTACK)
        power = float(np.mean(np.square(block, dtype=np.float64)))
        self._power += weight * (power - self._power)
        highest = float(np.max(np.abs(block)))
        peak = _decibels(highest)
        if peak >= self._held(now):
            self._peak, self._peak_at = peak, now
        if highest >= self._CLIP:
            self._clipped_at = now
        self._now = now

    def level(self) -> Level:
        """The level now."""
        return Level(
            rms=round(_decibels(math.sqrt(self._power)), 1),
            peak=round(self._held(self._now), 1),
            clipped=self._now - self._clipped_at < self._CLIP_HOLD,
        )

    def _held(self, now: float) -> float:
        falling = max(0.0, now - self._peak_at - self._HOLD)
        return max(QUIET, self._peak - self._FALL * falling)


class Spectrogram:
    """The newest seconds of sound as a picture, from the features that the model hears.

    Args:
        spec: of the features.
    """

    SECONDS = 0.1  # a column
    COLUMNS = 400  # kept: enough for the widest terminals
    _STEP = 2  # columns that are shown at a time: five times a second, which is calm
    _RANGE = 60.0  # dB from darkest to brightest
    _LOWEST = -10.0  # dB that the brightest is at least
    _FALL = 1.0  # dB per second by which the brightest follows a falling level

    def __init__(self, spec: FeatureSpec) -> None:
        self._stream = FrameStream(spec)
        self._per_column = max(1, round(self.SECONDS * spec.sample_rate / spec.hop_length))
        self._step = round(self._STEP * self.SECONDS * spec.sample_rate)
        self._blocks: list[Samples] = []  # not transformed yet: once a step is cheaper
        self._waiting = 0  # samples in them
        self._pending: Frames = np.zeros((0, spec.n_mels), np.float32)
        self._columns: deque[bytes] = deque(maxlen=self.COLUMNS)
        self._shown: tuple[bytes, ...] = ()
        self._new = 0
        self._top = self._LOWEST

    def push(self, block: Samples) -> None:
        """Hear a block, float32 ``[n]``, mono at the features' rate."""
        self._blocks.append(block)
        self._waiting += len(block)
        if self._waiting < self._step:
            return
        sound = np.concatenate(self._blocks)
        self._blocks, self._waiting = [], 0
        frames = np.concatenate([self._pending, self._stream.push(sound)])
        count = len(frames) // self._per_column
        self._pending = frames[count * self._per_column :]
        for i in range(count):
            column = frames[i * self._per_column : (i + 1) * self._per_column].mean(axis=0)
            self._columns.append(self._scaled(column))
            self._new += 1

    def columns(self) -> tuple[bytes, ...]:
        """The picture: oldest column first; in each a byte a band, lowest band first."""
        if self._new >= self._STEP:
            self._new = 0
            self._shown = tuple(self._columns)
        return self._shown

    def _scaled(self, column: NDArray[np.float32]) -> bytes:
        self._top = max(float(column.max()), self._top - self._FALL * self.SECONDS, self._LOWEST)
        share = (column - (self._top - self._RANGE)) / self._RANGE
        return bytes((np.clip(share, 0, 1) * 255).astype(np.uint8))


class Load:
    """Share of one core that this process uses."""

    _OVER = 5.0  # seconds that it is averaged over

    def __init__(self) -> None:
        self._seen = deque([(time.monotonic(), time.process_time())])

    def share(self) -> float | None:
        """The share, 0 to 1 (more with several threads); None before it is known."""
        now = time.monotonic(), time.process_time()
        self._seen.append(now)
        while len(self._seen) > 2 and now[0] - self._seen[1][0] >= self._OVER:
            self._seen.popleft()
        wall = now[0] - self._seen[0][0]
        return (now[1] - self._seen[0][1]) / wall if wall >= 1 else None


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 1e-6 else QUIET
