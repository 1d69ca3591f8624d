"""How a voice usually sounds: what the network measures a stretch of it against.

A baseline is the mean and the deviation of each mel band over a speaker's speech. No sound can be
made of it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from live_ser.features import Frames
from live_ser.spec import BaselineSpec, FeatureSpec

_LEAST_VARIANCE = 1.0  # dB²: less than any voice has
_ORDINARY = 6.0  # times that enrolled speech counts


@dataclass(frozen=True)
class Sums:
    """Log-mel frames of speech, summed up so that they can be added to others.

    Attributes:
        frames: how many; not whole where older ones count for less.
        first: float64 ``[mels]``, their sum in dB.
        second: float64 ``[mels]``, the sum of their squares.
    """

    frames: float
    first: NDArray[np.float64]
    second: NDArray[np.float64]

    @classmethod
    def of(cls, log_mel: Frames, floor_db: float) -> Self:
        """Sum up an utterance.

        Args:
            log_mel: float32 ``[frames, mels]`` in dB, at least one frame.
            floor_db: decibels under its mean power at which each band fades into a floor.
        """
        power = np.power(10, log_mel.astype(np.float64) / 10)
        faint = 10 ** (-floor_db / 10) * power.mean(axis=0)
        floored = 10 * np.log10(power + faint)
        return cls(len(log_mel), floored.sum(axis=0), np.square(floored).sum(axis=0))

    @classmethod
    def from_statistics(cls, statistics: NDArray[np.float64], frames: float) -> Self:
        """What :attr:`statistics` were of."""
        mean, deviation = statistics
        variance = np.maximum(np.square(deviation) - _LEAST_VARIANCE, 0)
        return cls(frames, frames * mean, frames * (variance + np.square(mean)))

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.frames + other.frames, self.first + other.first, self.second + other.second
        )

    def __mul__(self, weight: float) -> Sums:
        return Sums(weight * self.frames, weight * self.first, weight * self.second)

    @property
    def statistics(self) -> NDArray[np.float64]:
        """Mean and deviation of each band, ``[2, mels]`` in dB."""
        mean = self.first / self.frames
        variance = np.maximum(self.second / self.frames - np.square(mean), 0)
        return np.stack([mean, np.sqrt(variance + _LEAST_VARIANCE)])


def no_baseline(mels: int) -> NDArray[np.float32]:
    """What the network is given where no baseline is known: zeros, ``[2, mels]``."""
    return np.zeros((2, mels), np.float32)


class RunningBaseline:
    """A speaker's baseline, from all that was heard of them so far; the newest counts most.

    Args:
        spec: of the model.
        features: of the model.
        enrol: seconds of speech that count as ordinary, and so for more; until they were heard, no
            baseline is used.

    Attributes:
        profile: name of the profile that it began with; empty where it began with nothing.
        enrol: seconds of speech that count as ordinary.
        heard: seconds of speech heard by it.
    """

    def __init__(self, spec: BaselineSpec, features: FeatureSpec, *, enrol: float = 0.0) -> None:
        self._spec = spec
        self._rate = features.sample_rate / features.hop_length
        self._mels = features.n_mels
        self._sums: Sums | None = None
        self._until = 0.0
        self._before = 0.0  # seconds of speech that it began with
        self.profile = ""
        self.enrol = enrol
        self.heard = 0.0

    @property
    def seconds(self) -> float:
        """Of speech that it rests on; what is longer ago than its memory no longer counts."""
        return min(self._before + self.heard, self._spec.memory)

    @property
    def weight(self) -> float:
        """Seconds that this speech counts for: what was enrolled counts for more."""
        return self._sums.frames / self._rate if self._sums else 0.0

    @property
    def enrolling(self) -> bool:
        """Whether what is heard counts as ordinary."""
        return self.heard < self.enrol

    @property
    def known(self) -> bool:
        """Whether it rests on enough speech to be used."""
        return not self.enrolling and self.seconds >= self._spec.min_speech

    @property
    def statistics(self) -> NDArray[np.float64] | None:
        """Mean and deviation of each band, ``[2, mels]`` in dB; None before any speech."""
        return self._sums.statistics if self._sums else None

    @property
    def input(self) -> NDArray[np.float32]:
        """For the network: float32 ``[2, mels]``, zeros where too little is known."""
        if self._sums is None or not self.known:
            return no_baseline(self._mels)
        return self._sums.statistics.astype(np.float32)

    def __str__(self) -> str:
        if self.enrolling:
            return f"enrolling, {self.heard:.0f} of {self.enrol:g} s"
        if not self.known:
            return "not yet"
        return ", ".join(filter(None, [self.profile, f"{self.seconds:.0f} s"]))

    def begin(
        self, statistics: NDArray[np.float64], *, seconds: float, weight: float, profile: str
    ) -> None:
        """Start from what was known before.

        Args:
            statistics: ``[2, mels]`` in dB, as :attr:`statistics` gave them.
            seconds: of speech that they rest on.
            weight: seconds that this speech counts for.
            profile: name of where they were kept.
        """
        self._sums = Sums.from_statistics(statistics, min(weight, self._spec.memory) * self._rate)
        self._before = seconds
        self.profile = profile

    def hear(self, log_mel: Frames, end: float) -> None:
        """Add the speech that was not heard before.

        Args:
            log_mel: float32 ``[frames, mels]`` in dB, an utterance so far.
            end: seconds from the start of the source to the end of its last frame.
        """
        new = min(len(log_mel), round((end - self._until) * self._rate))
        self._until = max(self._until, end)
        if new <= 0:
            return
        weight = _ORDINARY if self.enrolling else 1.0
        heard = Sums.of(log_mel, self._spec.floor_db) * (weight * new / len(log_mel))
        self._sums = heard if self._sums is None else self._sums + heard
        most = self._spec.memory * self._rate
        if self._sums.frames > most:
            self._sums *= most / self._sums.frames
        self.heard += new / self._rate
