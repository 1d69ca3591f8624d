"""Augmentation of log-mel frames, drawn anew for each batch.

Tempo, vocal tract, tilt, noise, the microphone's upper cutoff, masks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames

Rng = np.random.Generator

_NARROW = (0.68, 0.95)  # of the mel axis up to 8 kHz: 3 to 7 kHz
_NOTHING_DB = (-100.0, -70.0)


@dataclass(frozen=True)
class Change:
    """A change of an utterance, shared with others of its speaker in its batch.

    Attributes:
        tempo: source frames to a frame of the result.
        warp: stretch of the mel axis.
        tilt_db: slope over the whole mel axis.
        noisy: whether noise is added.
        top: share of the mel axis above which a microphone hears nothing.
    """

    tempo: float
    warp: float
    tilt_db: float
    noisy: bool
    top: float

    def of_bands(self, frames: Frames) -> Frames:
        """Log-mel frames ``[n, mels]`` of another vocal tract and microphone."""
        mels = frames.shape[1]
        bands = np.minimum(np.arange(mels) * self.warp, mels - 1)
        tilt = np.linspace(-0.5, 0.5, mels) * self.tilt_db
        return _lerp(frames, bands.astype(np.float32), axis=1) + tilt.astype(np.float32)


@dataclass(frozen=True)
class SpectralAugment:
    """Random changes of log-mel frames that leave the emotion as it was.

    Attributes:
        tempo: slowest and fastest stretch in time.
        warp: least and greatest stretch of the mel axis: shorter and longer vocal tracts.
        tilt_db: greatest slope over the whole mel axis, either way.
        narrow: probability of a microphone that hears nothing above 3 to 7 kHz.
        noise: probability of stationary noise, 0 to 30 dB under the clip's mean level.
        time_masks: how many, at most.
        mel_masks: how many, at most.
        mask_share: greatest share of either axis that one mask covers.
    """

    tempo: tuple[float, float] = (0.75, 1.3)
    warp: tuple[float, float] = (0.82, 1.22)
    tilt_db: float = 12.0
    narrow: float = 0.2
    noise: float = 0.15
    time_masks: int = 1
    mel_masks: int = 1
    mask_share: float = 0.12

    def draw(self, rng: Rng) -> Change:
        """A change that may befall an utterance."""
        return Change(
            tempo=rng.uniform(*self.tempo),
            warp=rng.uniform(*self.warp),
            tilt_db=rng.uniform(-self.tilt_db, self.tilt_db),
            noisy=rng.random() < self.noise,
            top=rng.uniform(*_NARROW) if rng.random() < self.narrow else 1.0,
        )

    def __call__(self, frames: Frames, length: int, change: Change, rng: Rng) -> Frames:
        """Cut, stretch and disturb.

        Args:
            frames: float32 ``[n, mels]`` in dB; shorter ones are repeated from their start.
            length: frames of the result.
            change: that befalls it.
            rng: decides everything else.

        Returns:
            float32 ``[length, mels]`` in dB.
        """
        out = _stretched(frames, length, change.tempo, rng)
        out = change.of_bands(out)
        if change.noisy:
            out = self._with_noise(out, rng)
        mean = out.mean()
        for axis, count in ((0, self.time_masks), (1, self.mel_masks)):
            for _ in range(rng.integers(count + 1)):
                size = out.shape[axis]
                width = rng.integers(1, max(2, int(self.mask_share * size)))
                start = rng.integers(size - width + 1)
                if axis == 0:
                    out[start : start + width] = mean
                else:
                    out[:, start : start + width] = mean
        out[:, math.ceil(change.top * out.shape[1]) :] = rng.uniform(*_NOTHING_DB)
        return out

    @staticmethod
    def _with_noise(frames: Frames, rng: Rng) -> Frames:
        """Powers of independent sounds add."""
        mels = frames.shape[1]
        level = frames.mean() + 10 - rng.uniform(0, 30)
        shape = np.cumsum(rng.normal(0, 1.2, mels))
        noise = level + shape - shape.mean() + rng.normal(0, 3, frames.shape)
        total = 10 ** (frames / 10) + 10 ** (noise / 10)
        return np.asarray(10 * np.log10(total), np.float32)


def _stretched(frames: Frames, length: int, tempo: float, rng: Rng) -> Frames:
    """A piece of the frames, cut anywhere, of another tempo; too short ones begin again."""
    count = len(frames)
    span = (length - 1) * tempo
    start = rng.uniform(0, max(0.0, count - 1 - span))
    times = (start + np.arange(length) * tempo) % max(count - 1, 1)
    return _lerp(frames, times.astype(np.float32), axis=0)


def _lerp(values: Frames, positions: NDArray[np.float32], axis: int) -> Frames:
    low = np.minimum(positions.astype(np.int32), values.shape[axis] - 1)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = positions - low
    share = share[:, None] if axis == 0 else share[None, :]
    below, above = np.take(values, low, axis), np.take(values, high, axis)
    return np.asarray(below + (above - below) * share, np.float32)
