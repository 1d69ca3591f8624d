"""An attempt at a take in a guided session, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from live_ser.audio.blocks import Samples

_SHORTEST = 0.7  # seconds of speech
_SOFTEST = -50.0  # dB re full scale
_LOUDEST_FRAMES = 5  # that are compared with it
_FRAME = 512  # samples
_CLIPPED = 0.002  # share of samples at full scale
_CLEAR = 10.0  # dB of speech above the background


@dataclass
class Attempt:
    """A take while it is spoken.

    Attributes:
        blocks: its blocks so far.
        speech: seconds of speech.
        quiet: seconds since the last speech.
    """

    blocks: list[Samples] = field(default_factory=list)
    speech: float = 0.0
    quiet: float = 0.0

    @property
    def samples(self) -> Samples:
        """All samples so far, float32 ``[n]``."""
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.float32)

    def complaint(self) -> str:
        """What is wrong with it; empty if it can be used."""
        samples = self.samples
        if np.mean(np.abs(samples) >= 0.99) > _CLIPPED:
            return "clipped: turn the input gain down"
        frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
        # Variances: a DC offset has no level.
        levels = np.sort(10 * np.log10(np.var(frames, axis=1) + 1e-10))
        # Before its length: the gate detects little speech in a soft voice.
        if levels[-_LOUDEST_FRAMES:].min(initial=0.0) < _SOFTEST:
            return "too soft: come closer, or turn the input gain up"
        if self.speech < _SHORTEST:
            return "too short"
        if levels[int(0.9 * len(levels))] - levels[int(0.05 * len(levels))] < _CLEAR:
            return "too noisy: your voice hardly stands out"
        return ""
