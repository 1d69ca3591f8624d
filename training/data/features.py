"""Settings of the log-mel features; a model file contains the specification made from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.spec import FeatureSpec, pack_matrix


@dataclass(frozen=True)
class FeatureConfig:
    """Settings of log-mel features, without their filter bank.

    Attributes:
        sample_rate: sample rate in Hz.
        n_fft: length of the Fourier transform in samples.
        win_length: length of the window in samples.
        hop_length: samples from one frame to the next.
        n_mels: number of mel bands.
        fmin: lowest frequency of the mel bands in Hz.
        fmax: highest frequency of the mel bands in Hz.
        amin: least power, which avoids the logarithm of 0.

    Raises:
        ValueError: a value is out of range.
    """

    sample_rate: int = 16_000
    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    n_mels: int = 64
    fmin: float = 50.0
    fmax: float = 8_000.0
    amin: float = 1e-10

    def __post_init__(self) -> None:
        # Checked with an empty filter bank: to make a real one takes librosa, which takes seconds.
        size = np.clip((self.n_mels, 1 + self.n_fft // 2), 0, 1 << 15)
        self._with(np.zeros(size, np.float32))

    def spec(self) -> FeatureSpec:
        """The specification, with its filter bank."""
        from librosa.filters import mel as mel_filters  # takes seconds

        basis = mel_filters(
            sr=self.sample_rate,
            n_fft=self.n_fft,
            n_mels=self.n_mels,
            fmin=self.fmin,
            fmax=self.fmax,
        )
        return self._with(basis.astype(np.float32))

    def frames_in(self, samples: int) -> int:
        """The number of whole frames in a number of samples."""
        return max(0, 1 + (samples - self.n_fft) // self.hop_length)

    def _with(self, basis: NDArray[np.float32]) -> FeatureSpec:
        return FeatureSpec(**asdict(self), mel_basis=pack_matrix(basis))
