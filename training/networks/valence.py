"""Valence: how pleasant a voice sounds, from the probabilities of the emotions.

Happy is pleasant; angry, sad, fearful and disgusted are unpleasant; surprised may be either. On
corpora left out, the odds of these emotions separate pleasant from unpleasant voices better than a
separate output of the network does. A part of neutral is added to both sides, so that the valence
of a clearly neutral voice is close to 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets

PLEASANT = ("happy",)
UNPLEASANT = ("angry", "sad", "fearful", "disgust")

NEVER = 1e-7
"""Probability that is added to both sides, so that their logarithm is finite."""

_NEUTRAL = 0.25  # share of the probability of neutral that is added to each side
_LOG_SLOPE = (-3.0, 1.5)  # bounds

SIDES = np.array(
    [
        [_NEUTRAL * (label == "neutral") + (label in side) for side in (PLEASANT, UNPLEASANT)]
        for label in LABELS
    ],
    np.float32,
)
"""Weight of each label on the pleasant and the unpleasant side, ``[labels, 2]``."""


def odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds of pleasant against unpleasant, ``[n]``, for probabilities ``[n, labels]``."""
    pleasant, unpleasant = np.log(probabilities @ SIDES + NEVER).T
    return np.asarray(pleasant - unpleasant, np.float64)


def valence_of(
    probabilities: NDArray[np.float64], calibration: tuple[float, float]
) -> NDArray[np.float64]:
    """Valence, -1 to 1, ``[n]``.

    Args:
        probabilities: calibrated probabilities of the labels, ``[n, labels]``.
        calibration: slope and offset of the log odds.
    """
    slope, offset = calibration
    return np.asarray(np.tanh((slope * odds(probabilities) + offset) / 2), np.float64)


def calibrate_valence(
    probabilities: NDArray[np.float64], clips: Sequence[Clip]
) -> tuple[float, float]:
    """Fit slope and offset of the log odds.

    The mean of neutral clips becomes 0, and the slope has the lowest loss of pleasant against
    unpleasant clips.

    Args:
        probabilities: probabilities of labelled clips, ``[n, labels]``.
        clips: the clips, ``[n]``.

    Returns:
        Slope and offset; 1 and 0 if there are no pleasant, no unpleasant or no neutral clips.
    """
    _, label = known_targets(clips, LABELS)
    shown = np.array([LABELS[one] for one in label])
    pleasant, unpleasant = (np.isin(shown, side) for side in (PLEASANT, UNPLEASANT))
    neutral = shown == "neutral"
    if not (pleasant.any() and unpleasant.any() and neutral.any()):
        return 1.0, 0.0
    x = odds(probabilities)
    speakers = np.array([clip.speaker for clip in clips])[neutral]
    point = np.mean([x[neutral][speakers == one].mean() for one in np.unique(speakers)])

    def loss(log_slope: float) -> float:
        z = np.exp(log_slope) * (x - point)
        losses = np.logaddexp(0, -z[pleasant]).mean() + np.logaddexp(0, z[unpleasant]).mean()
        return float(losses)

    slope = float(np.exp(minimize_scalar(loss, bounds=_LOG_SLOPE, method="bounded").x))
    return slope, float(-slope * point)
