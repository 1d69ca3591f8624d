"""The DC blocker, which removes the constant offset that a sound card adds.

An offset is inaudible, but it adds to the level, and leaks into the lowest bands of the features.
"""

from __future__ import annotations

import numpy as np

from live_ser.audio.blocks import Samples

_CUTOFF = 5.0  # Hz; 80 Hz lose 0.02 dB, and a step of the offset is gone after 0.2 s
_SPAN = 16.0  # time constants in a piece, so that weights differ by a factor of e^16 at most


class DCBlocker:
    """Remove the DC offset of a signal that arrives in blocks.

    The offset is an exponentially weighted mean of the samples so far. This is a first-order
    high-pass filter without a transient at the start. The result does not depend on the block size.

    Args:
        rate: sample rate of the signal in Hz.
    """

    def __init__(self, rate: int) -> None:
        constant = rate / (2 * np.pi * _CUTOFF)  # samples
        decay = float(np.exp(-1 / constant))
        self._piece = round(_SPAN * constant)  # samples per cumulative sum
        # With weights that decay as d^i, the running weighted sum at sample n is d^n times the
        # cumulative sum of the samples divided by d^i.
        self._falling = decay ** np.arange(1, self._piece + 1)
        self._rising = (1 - decay) / self._falling
        self._gain = (1 + decay) / (2 * decay)  # compensates the loss at frequencies of a voice
        self._sum = 0.0  # weighted sum of the samples so far
        self._weight = 0.0  # sum of their weights, which approaches 1

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
