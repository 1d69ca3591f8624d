"""Augmentation of log-mel frames, random in each batch.

It changes tempo, vocal tract, spectral tilt, noise and the microphone's upper limit, and masks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames

Rng = np.random.Generator

_NARROW = (0.68, 0.95)  # share of the mel axis up to 8 kHz: 3 to 7 kHz
_SILENT_DB = (-100.0, -70.0)


@dataclass(frozen=True)
class Change:
    """A change of the utterances of a speaker in a batch.

    Attributes:
        tempo: factor by which speech is faster.
        warp: factor by which the mel axis is stretched.
        tilt_db: difference between the ends of the mel axis in dB.
        noisy: whether noise is added.
        top: share of the mel axis above which the microphone records nothing.
    """

    tempo: float
    warp: float
    tilt_db: float
    noisy: bool
    top: float

    def of_bands(self, frames: Frames) -> Frames:
        """The frames ``[n, mels]`` with another vocal tract and microphone."""
        mels = frames.shape[1]
        bands = np.minimum(np.arange(mels) * self.warp, mels - 1)
        tilt = np.linspace(-0.5, 0.5, mels) * self.tilt_db
        return _lerp(frames, bands.astype(np.float32), axis=1) + tilt.astype(np.float32)


@dataclass(frozen=True)
class SpectralAugment:
    """Random changes of log-mel frames that do not change the emotion.

    Attributes:
        tempo: slowest and fastest tempo.
        warp: least and greatest stretch of the mel axis, for longer and shorter vocal tracts.
        tilt_db: maximum difference between the ends of the mel axis in dB, in either direction.
        narrow: probability of a microphone that records nothing above 3 to 7 kHz.
        noise: probability of stationary noise, 0 to 30 dB below the clip's mean level.
        time_masks: maximum number of masks in time.
        mel_masks: maximum number of masks in frequency.
        mask_share: maximum share of the axis that a mask covers.
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
        """Draw a change."""
        return Change(
            tempo=rng.uniform(*self.tempo),
            warp=rng.uniform(*self.warp),
            tilt_db=rng.uniform(-self.tilt_db, self.tilt_db),
            noisy=rng.random() < self.noise,
            top=rng.uniform(*_NARROW) if rng.random() < self.narrow else 1.0,
        )

    def __call__(self, frames: Frames, length: int, change: Change, rng: Rng) -> Frames:
        """Cut frames to a length, and augment them.

        Args:
            frames: float32 ``[n, mels]`` in dB; if there are too few, they are repeated.
            length: number of frames of the result.
            change: the change.
            rng: random generator of what is not shared by the speaker's utterances.

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
        out[:, math.ceil(change.top * out.shape[1]) :] = rng.uniform(*_SILENT_DB)
        return out

    @staticmethod
    def _with_noise(frames: Frames, rng: Rng) -> Frames:
        """The frames with stationary noise; the powers of independent sounds add up."""
        mels = frames.shape[1]
        level = frames.mean() + 10 - rng.uniform(0, 30)
        shape = np.cumsum(rng.normal(0, 1.2, mels))
        noise = level + shape - shape.mean() + rng.normal(0, 3, frames.shape)
        total = 10 ** (frames / 10) + 10 ** (noise / 10)
        return np.asarray(10 * np.log10(total), np.float32)


def _stretched(frames: Frames, length: int, tempo: float, rng: Rng) -> Frames:
    """A random piece of the frames at another tempo; frames that are too few are repeated."""
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
