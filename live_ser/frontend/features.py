"""Log-mel frames, of a whole signal or streamed, with identical results.

There is no padding, and decibels are relative to a fixed reference, so a frame does not depend on
the sound after it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.frontend.framing import Framing
from live_ser.spec import FeatureSpec

Frames = NDArray[np.float32]

# Multiplications per matrix product. From twice as many on, OpenBLAS starts threads, which spend
# more time waiting than computing; and a block of this size stays in the cache.
MULTIPLICATIONS = 2**19


class FrameStream:
    """Log-mel frames of a signal that arrives in blocks.

    The frames do not depend on the block size.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._window = _hann(spec.win_length, spec.n_fft)
        # float64: in float32, weak bands beside a strong one would differ by more than 1e-4 dB.
        self._mel = np.ascontiguousarray(spec.mel_matrix.T.astype(np.float64))
        self._batch = max(1, MULTIPLICATIONS // self._mel.size)  # frames
        self._framing = Framing(spec.n_fft, spec.hop_length)

    def push(self, samples: Samples) -> Frames:
        """The frames that ``samples`` complete.

        Args:
            samples: float32 ``[n]``, mono at ``spec.sample_rate``, full scale at 1.

        Returns:
            float32 ``[frames, n_mels]``, in dB re full-scale power; may hold no frame.
        """
        frames = self._framing.push(samples)
        starts = range(0, max(1, len(frames)), self._batch)
        return np.concatenate([self._log_mel(frames[i : i + self._batch]) for i in starts])

    def _log_mel(self, frames: NDArray[np.float32]) -> Frames:
        spectrum = np.fft.rfft(frames * self._window)
        power = spectrum.real**2 + spectrum.imag**2
        decibels = 10.0 * np.log10(np.maximum(power @ self._mel, self.spec.amin))
        return decibels.astype(np.float32)


def log_mel(samples: Samples, spec: FeatureSpec) -> Frames:
    """Log-mel frames of a whole signal.

    Equal to ``librosa.feature.melspectrogram`` with ``center=False``, in dB re 1.

    Args:
        samples: float32 ``[n]``, mono at ``spec.sample_rate``, full scale at 1.
        spec: the specification of the features.

    Returns:
        float32 ``[frames, n_mels]`` in dB; no frame if the signal is shorter than one.
    """
    return FrameStream(spec).push(np.asarray(samples, np.float32))


def _hann(length: int, n_fft: int) -> NDArray[np.float64]:
    """Periodic Hann window, centred in ``n_fft`` samples as librosa centres it."""
    window = np.zeros(n_fft)
    start = (n_fft - length) // 2
    window[start : start + length] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return window
