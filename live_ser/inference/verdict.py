"""Clips: one verdict for a recording as a whole.

The verdict is no average of windows: each stretch of speech is classified once, and those that hold
more speech count for more.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from live_ser.inference.decision import decide, is_silence
from live_ser.inference.results import Decision, Verdict
from live_ser.model.onnx_model import ModelOutput
from live_ser.spec import ModelInfo


class VerdictSum:
    """The verdict on a clip, from the outputs of its stretches, one after another.

    Scraps, which hold too little speech to be classified, count only where there is nothing else.

    Args:
        info: of the model.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        self._scraps = True  # as long as there is nothing else
        self._sum: NDArray[np.float64] = np.zeros(len(info.labels) + 2)
        self._weight = 0.0
        self._stretches = 0

    def wants(self, evidence: float) -> bool:
        """Whether a stretch with so many seconds of speech counts, as far as is known."""
        return evidence > 0 and (self._scraps or evidence >= self._info.gate.min_speech)

    def add(self, output: ModelOutput, evidence: float) -> None:
        """Count a stretch that is wanted.

        Args:
            output: of it.
            evidence: seconds of speech in it.
        """
        if self._scraps and evidence >= self._info.gate.min_speech:
            self._scraps = False
            self._sum, self._weight, self._stretches = np.zeros_like(self._sum), 0.0, 0
        self._sum += evidence * output.numbers
        self._weight += evidence
        self._stretches += 1

    def decision(self, evidence: float) -> Decision:
        """How all of it is called.

        Args:
            evidence: seconds of speech in it.
        """
        if not self._weight or not evidence or evidence < self._info.gate.min_speech:
            return Decision(
                state="silence" if is_silence(evidence) else "listening", evidence=evidence
            )
        *mean, activation, valence = map(float, self._sum / self._weight)
        known = None if math.isnan(valence) else valence
        return decide(self._info, mean, activation, evidence=evidence, valence=known)

    def verdict(self, duration: float, evidence: float) -> Verdict:
        """The verdict on a clip that ends here.

        Args:
            duration: of the clip, in seconds.
            evidence: seconds of speech in it.
        """
        decision = self.decision(evidence)
        speech = min(1.0, evidence / duration) if duration else 0.0
        windows = 0 if decision.probabilities is None else self._stretches
        return Verdict(**vars(decision), duration=duration, speech=speech, windows=windows)
