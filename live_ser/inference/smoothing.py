"""Smoothing of predictions over time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from live_ser.model.onnx_model import ModelOutput

FULL_EVIDENCE = 3.0  # seconds of speech from which a window counts in full
STAY = 0.05  # a new label must be more probable than the one shown by this margin


class Smoother:
    """An exponential mean of outputs over time, weighted by the speech in their windows.

    The step response does not depend on the hop: half of a change shows after 0.7 time constants.
    A first window with little speech soon counts for little.

    Args:
        seconds: the time constant; 0 for no smoothing.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._mean: NDArray[np.float64] | None = None  # of ``ModelOutput.numbers``
        self._weight = 0.0  # of the mean
        self._time = 0.0
        self._label: int | None = None

    def push(self, output: ModelOutput, time: float, evidence: float) -> ModelOutput:
        """Add the output of a window, and return the new mean.

        Args:
            output: the model's output for the window.
            time: end of the window in seconds.
            evidence: seconds of speech in the window.
        """
        new = output.numbers
        weight = min(1.0, evidence / FULL_EVIDENCE)
        if self._mean is None or self._seconds == 0:
            self._mean, self._weight = new, weight
        else:
            kept = math.exp((self._time - time) / self._seconds)
            added = (1 - kept) * weight
            self._weight = kept * self._weight + added
            self._mean = self._mean + added / self._weight * (new - self._mean)
        self._time = time
        return ModelOutput.from_numbers(self._mean)

    def label(self, probabilities: NDArray[np.float32], minimum: float = 0.0) -> int:
        """The index of the label to show: the last one, until another is clearly more probable.

        Args:
            probabilities: float32 ``[classes]``, smoothed.
            minimum: probability below which the last label is not preferred.
        """
        best = int(np.argmax(probabilities))
        stay = STAY if self._seconds else 0.0
        label = best if self._label is None else self._label
        shown = probabilities[label]
        self._label = best if shown < minimum or probabilities[best] > shown + stay else label
        return self._label

    def forget(self) -> None:
        """Reset: another utterance begins."""
        self._mean = self._label = None
