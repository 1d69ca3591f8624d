"""The DC blocker, which removes the constant offset that a sound card adds.

An offset is no sound, but it has a level, and it leaks into the lowest bands of the features.
"""

from __future__ import annotations

import numpy as np

from live_ser.audio.blocks import Samples

_CUTOFF = 5.0  # Hz; 80 Hz lose 0.02 dB, and a step of the offset is followed in a fifth of a second
_SPAN = 16.0  # time constants in a piece: weights in one differ by a factor of e to the power of it


class DCBlocker:
    """Remove the DC offset of a signal that arrives in blocks.

    The offset is the mean of the samples so far, weighted exponentially in favour of new ones. This
    is a first-order high-pass filter that has settled from the first sample on. The result does not
    depend on the block size.

    Args:
        rate: sample rate of the signal in Hz.
    """

    def __init__(self, rate: int) -> None:
        constant = rate / (2 * np.pi * _CUTOFF)  # samples
        decay = float(np.exp(-1 / constant))
        self._piece = round(_SPAN * constant)  # samples that are weighted together
        # As weights fall by the same factor each sample, a weighted sum is a plain sum of samples
        # that were raised, times what the weights have fallen to.
        self._falling = decay ** np.arange(1, self._piece + 1)
        self._rising = (1 - decay) / self._falling
        self._gain = (1 + decay) / (2 * decay)  # of voices, which then keep their level
        self._sum = 0.0  # of the weighted samples
        self._weight = 0.0  # of all samples; it approaches 1

    def push(self, samples: Samples) -> Samples:
        """The samples without their offset, float32 ``[n]``."""
        starts = range(0, len(samples), self._piece)
        pieces = [self._blocked(samples[i : i + self._piece]) for i in starts]
        return pieces[0] if len(pieces) == 1 else np.concatenate([samples[:0], *pieces])

    def _blocked(self, samples: Samples) -> Samples:
        falling = self._falling[: len(samples)]
        offsets = samples * self._rising[: len(samples)]
        np.add.accumulate(offsets, out=offsets)
        offsets += self._sum
        offsets *= falling
        self._sum = float(offsets[-1])
        if self._weight < 1:
            weights = 1 - (1 - self._weight) * falling
            self._weight = float(weights[-1])
            offsets /= weights
        blocked: Samples = (samples - offsets.astype(np.float32)) * self._gain
        return blocked


def block_dc(samples: Samples, rate: int) -> Samples:
    """A whole signal without its DC offset, as the runtime analyses it.

    Args:
        samples: float32 ``[n]``, mono.
        rate: sample rate in Hz.

    Returns:
        float32 ``[n]``.
    """
    return DCBlocker(rate).push(np.asarray(samples, np.float32))
