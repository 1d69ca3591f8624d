"""Settings of the features, from which the specification in a model file is made."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.spec import FeatureSpec, pack_matrix


@dataclass(frozen=True)
class FeatureConfig:
    """Log-mel features, without their filter bank; see :class:`live_ser.spec.FeatureSpec`.

    Raises:
        ValueError: no sound has such features.
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
        # Checked with an empty filter bank: to design one takes librosa, and seconds.
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
        """How many whole frames lie within so many samples."""
        return max(0, 1 + (samples - self.n_fft) // self.hop_length)

    def _with(self, basis: NDArray[np.float32]) -> FeatureSpec:
        return FeatureSpec(**asdict(self), mel_basis=pack_matrix(basis))
