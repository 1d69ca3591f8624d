"""Detection of sound that was clipped when it was recorded."""

from __future__ import annotations

import numpy as np

from live_ser.audio.blocks import Interleaved

CLIPPED = "its loud parts are clipped, which misleads the model: record with less input gain"
"""The warning about clipped sound."""

FULL_SCALE = 0.999
"""Magnitude from which a sample counts as clipped."""

_SECONDS = 2.0  # of sound that are examined together
_SHARE = 0.02  # share of samples at full scale: about that of speech that is 9 dB too loud


class Clipping:
    """Detects clipping in sound that arrives in blocks, as it was captured.

    The result does not depend on the block size.

    Args:
        rate: sample rate in Hz.

    Attributes:
        found: whether a channel is clipped so much that it misleads the model.
    """

    def __init__(self, rate: int) -> None:
        self.found = False
        self._length = round(_SECONDS * rate)  # samples that are examined together
        self._max_clipped = _SHARE * self._length
        self._seen = 0  # samples so far
        self._clipped = np.zeros(1, np.intp)  # clipped ones in each channel

    def push(self, block: Interleaved) -> None:
        """Add a block, ``[n, channels]``."""
        while len(block) and not self.found:
            part, block = np.split(block, [self._length - self._seen])
            if part.max() >= FULL_SCALE or part.min() <= -FULL_SCALE:
                clipped = np.abs(part) >= FULL_SCALE
                self._clipped = self._clipped + np.count_nonzero(clipped, axis=0)
                self.found = bool(self._clipped.max() > self._max_clipped)
            self._seen += len(part)
            if self._seen == self._length:
                self._seen, self._clipped = 0, np.zeros(1, np.intp)
