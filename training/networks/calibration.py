"""Calibration of a network, from its logits to probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.corpora.emotions import LABELS, MERGED


@dataclass(frozen=True)
class Calibration:
    """Calibration of a network.

    Attributes:
        temperature: divisor of the logits of the emotions.
        activation: slope and offset of the logit of the activation.
        abstain: confidence below which a prediction is uncertain.
        offsets: mean effect of each of :data:`LABELS` on the embedding of a voice,
            ``[labels][size]``; empty if unknown.
        valence: slope and offset of the log odds of pleasant against unpleasant.
    """

    temperature: float = 1.0
    activation: tuple[float, float] = (1.0, 0.0)
    abstain: float = 0.0
    offsets: Sequence[Sequence[float]] = ()
    valence: tuple[float, float] = (1.0, 0.0)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """The calibration of a dictionary from :meth:`to_dict`; no calibration for an empty one."""
        pairs = ("activation", "valence")
        values: dict[str, Any] = {k: tuple(v) if k in pairs else v for k, v in data.items()}
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """A dictionary for JSON."""
        fields = asdict(self)
        return fields if len(self.offsets) else {k: v for k, v in fields.items() if k != "offsets"}

    @classmethod
    def mean(cls, several: Sequence[Calibration]) -> Calibration:
        """The mean of several calibrations; no calibration if there are none."""
        if not several:
            return cls()
        return cls(
            temperature=float(np.exp(np.mean(np.log([one.temperature for one in several])))),
            activation=_mean_pair([one.activation for one in several]),
            abstain=round(float(np.mean([one.abstain for one in several])), 2),
            offsets=_mean_rows([one.offsets for one in several]),
            valence=_mean_pair([one.valence for one in several]),
        )

    def offsets_of(self, labels: Sequence[str]) -> NDArray[np.float32] | None:
        """The mean effect of each label on a voice, ``[labels, size]``; None if unknown."""
        if not len(self.offsets):
            return None
        rows = [LABELS.index(MERGED.get(label, label)) for label in labels]
        return np.asarray(self.offsets, np.float32)[rows]


def _mean_pair(several: Sequence[tuple[float, float]]) -> tuple[float, float]:
    slopes, offsets = zip(*several, strict=True)
    return float(np.mean(slopes)), float(np.mean(offsets))


def _mean_rows(several: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    """The mean of matrices, row by row; rows of zeros are unknown, and don't count."""
    rows = np.array([one for one in several if len(one)], np.float64)
    if not len(rows):
        return []
    known = np.maximum(rows.any(axis=2).sum(axis=0), 1)
    mean: list[list[float]] = (rows.sum(axis=0) / known[:, np.newaxis]).tolist()
    return mean
