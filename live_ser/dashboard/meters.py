"""Meters of the dashboard: level, spectrogram, load."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.audio.clipping import FULL_SCALE
from live_ser.frontend.dc_blocker import DCBlocker
from live_ser.frontend.features import Frames, FrameStream
from live_ser.spec import FeatureSpec

QUIET = -120.0  # dB re full scale, the lowest level


@dataclass(frozen=True)
class Level:
    """The input level.

    Attributes:
        rms: RMS in dB re full scale.
        peak: held peak in dB re full scale.
        clipped: whether samples reached full scale in the last seconds.
    """

    rms: float = -120.0
    peak: float = -120.0
    clipped: bool = False


class Meter:
    """Level meter with peak hold and clipping indicator.

    A DC offset has no level, but counts for clipping.

    Args:
        rate: sample rate of the signal in Hz.
    """

    _ATTACK = 0.1  # time constant of the RMS level in seconds
    _HOLD = 1.5  # seconds before a peak falls
    _FALL = 20.0  # dB per second
    _CLIP_HOLD = 3.0  # seconds for which clipping is shown

    def __init__(self, rate: int) -> None:
        self._blocker = DCBlocker(rate)
        self._now = 0.0
        self._power = 0.0
        self._peak = QUIET
        self._peak_at = 0.0
        self._clipped_at = -math.inf

    def push(self, block: Samples, now: float) -> None:
        """Add a block.

        Args:
            block: float32 ``[n]``.
            now: seconds from the start of the signal to the end of the block.
        """
        if not len(block):
            return
        weight = 1.0 - math.exp(-(now - self._now) / self._ATTACK)
        sound = self._blocker.push(block)
        power = float(np.mean(np.square(sound, dtype=np.float64)))
        self._power += weight * (power - self._power)
        peak = _decibels(float(np.max(np.abs(sound))))
        if peak >= self._held(now):
            self._peak, self._peak_at = peak, now
        if np.max(np.abs(block)) >= FULL_SCALE:
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
    """The spectrogram of the newest seconds, from the features of the model.

    Args:
        spec: specification of the features.
    """

    SECONDS = 0.1  # per column
    COLUMNS = 400  # enough for the widest terminals
    _STEP = 2  # columns per update: five updates a second
    _RANGE = 60.0  # dB from darkest to brightest
    _LOWEST = -10.0  # dB of the brightest, at least
    _FALL = 1.0  # dB per second at which the brightest follows a falling level

    def __init__(self, spec: FeatureSpec) -> None:
        self._blocker = DCBlocker(spec.sample_rate)
        self._stream = FrameStream(spec)
        self._per_column = max(1, round(self.SECONDS * spec.sample_rate / spec.hop_length))
        self._step = round(self._STEP * self.SECONDS * spec.sample_rate)
        self._blocks: list[Samples] = []  # not transformed yet: one transform per step is cheaper
        self._waiting = 0  # samples in these
        self._pending: Frames = np.zeros((0, spec.n_mels), np.float32)
        self._columns: deque[bytes] = deque(maxlen=self.COLUMNS)
        self._shown: tuple[bytes, ...] = ()
        self._new = 0
        self._top = self._LOWEST

    def push(self, block: Samples) -> None:
        """Add a block, float32 ``[n]``, mono at the model's rate."""
        self._blocks.append(block)
        self._waiting += len(block)
        if self._waiting < self._step:
            return
        sound = self._blocker.push(np.concatenate(self._blocks))
        self._blocks, self._waiting = [], 0
        frames = np.concatenate([self._pending, self._stream.push(sound)])
        count = len(frames) // self._per_column
        self._pending = frames[count * self._per_column :]
        for i in range(count):
            column = frames[i * self._per_column : (i + 1) * self._per_column].mean(axis=0)
            self._columns.append(self._scaled(column))
            self._new += 1

    def columns(self) -> tuple[bytes, ...]:
        """The columns, oldest first; each has a byte per band, lowest band first."""
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

    _OVER = 5.0  # seconds of averaging

    def __init__(self) -> None:
        self._seen = deque([(time.monotonic(), time.process_time())])

    def share(self) -> float | None:
        """The share, from 0 (above 1 with several threads); None if unknown."""
        now = time.monotonic(), time.process_time()
        self._seen.append(now)
        while len(self._seen) > 2 and now[0] - self._seen[1][0] >= self._OVER:
            self._seen.popleft()
        wall = now[0] - self._seen[0][0]
        return (now[1] - self._seen[0][1]) / wall if wall >= 1 else None


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 1e-6 else QUIET
