"""Smoothing over time: windows overlap and flutter, a voice does not."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from live_ser.model.onnx_model import ModelOutput

FULL_EVIDENCE = 3.0  # seconds of speech from which a window counts in full
STAY = 0.05  # a new label has to be more probable than the one shown by this much


class Smoother:
    """An exponential mean of outputs over time, weighted by the speech that they rest on.

    A window moves the mean the more, the longer ago the last one was, and the more speech it holds
    beside those before: a first guess, on little speech, soon counts for little. Whatever the hop,
    and however irregular, half of a change shows after 0.7 constants.

    Args:
        seconds: the time constant; 0 takes each window for itself.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._mean: NDArray[np.float64] | None = None  # as outputs have them
        self._weight = 0.0  # that it rests on
        self._time = 0.0
        self._label: int | None = None

    def push(self, output: ModelOutput, time: float, evidence: float) -> ModelOutput:
        """The mean, moved by one prediction.

        Args:
            output: of a window alone.
            time: seconds, of the window's end.
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
        return ModelOutput.mean(self._mean)

    def label(self, probabilities: NDArray[np.float32], least: float = 0.0) -> int:
        """The label to show: the one shown, until another one is clearly more probable.

        Args:
            probabilities: float32 ``[classes]``, smoothed.
            least: probability under which the one shown does not stay: a best guess is the best.
        """
        best = int(np.argmax(probabilities))
        stay = STAY if self._seconds else 0.0
        label = best if self._label is None else self._label
        shown = probabilities[label]
        self._label = best if shown < least or probabilities[best] > shown + stay else label
        return self._label

    def forget(self) -> None:
        """Start anew: what comes next is another utterance."""
        self._mean = self._label = None
