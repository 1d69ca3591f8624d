"""Overlapping frames of a signal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples


def framed(samples: NDArray, length: int, hop: int = 1) -> NDArray:  # type: ignore[type-arg]
    """The whole frames of a contiguous signal, without copying it.

    This takes a fraction of the time of ``numpy.lib.stride_tricks.sliding_window_view``, which
    would be felt in every hop.

    Args:
        samples: ``[n]``.
        length: samples in a frame.
        hop: samples from one frame to the next.

    Returns:
        ``[frames, length]``; do not write to it.
    """
    count = max(0, 1 + (len(samples) - length) // hop)
    step = samples.itemsize
    return np.ndarray((count, length), samples.dtype, samples, strides=(hop * step, step))


class Framing:
    """The frames of a signal that arrives in blocks.

    Args:
        length: samples in a frame.
        hop: samples from one frame to the next.
    """

    def __init__(self, length: int, hop: int) -> None:
        self._length, self._hop = length, hop
        self._pending: Samples = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> Samples:
        """The frames that ``samples`` complete, float32 ``[frames, length]``."""
        available = np.concatenate([self._pending, samples])
        frames = framed(available, self._length, self._hop)
        self._pending = available[len(frames) * self._hop :]
        return frames
