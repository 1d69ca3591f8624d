"""Resampling, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from live_ser.audio.blocks import NOTHING, Samples


class Resampler:
    """Resamples a stream; blocks that are resampled one by one would click where they meet.

    Args:
        source_rate: sample rate of the stream in Hz.
        rate: sample rate of the result in Hz.
        voices: number of channels of blocks ``[n, channels]``; 0 for blocks ``[n]``.
    """

    def __init__(self, source_rate: int, rate: int, voices: int = 0) -> None:
        self._streams: list[Any] = []
        self._nothing: Samples = np.zeros((0, voices), np.float32) if voices else NOTHING
        if source_rate != rate:
            import soxr

            self._streams = [
                soxr.ResampleStream(source_rate, rate, 1, dtype="float32")
                for _ in range(max(1, voices))
            ]

    def push(self, samples: Samples) -> Samples:
        """The next samples of the result; the newest ones are still in the filter."""
        return self._resampled(samples, last=False) if self._streams else samples

    def finish(self) -> Samples:
        """The rest of the samples, from the filter."""
        return self._resampled(self._nothing, last=True) if self._streams else self._nothing

    def _resampled(self, samples: Samples, *, last: bool) -> Samples:
        if samples.ndim == 1:
            resampled: Samples = self._streams[0].resample_chunk(samples, last=last)
            return resampled
        each = (
            stream.resample_chunk(np.ascontiguousarray(channel), last=last)
            for stream, channel in zip(self._streams, samples.T, strict=True)
        )
        return np.stack([*each], axis=1)
