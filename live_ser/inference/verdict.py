"""The verdict on a recording: the mean of the outputs for its utterances, weighted by speech."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from live_ser.inference.decision import decide, is_silence
from live_ser.inference.results import Decision, Verdict
from live_ser.model.onnx_model import ModelOutput
from live_ser.spec import ModelInfo


class VerdictSum:
    """The running mean of the outputs for the utterances of a recording.

    Utterances with too little speech for a segment count only if there are no others.

    Args:
        info: metadata of the model.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        self._only_short = (
            True  # whether all utterances so far have too little speech for a segment
        )
        self._sum: NDArray[np.float64] = np.zeros(len(info.labels) + 2)
        self._weight = 0.0
        self._utterances = 0

    def wants(self, evidence: float) -> bool:
        """Whether an utterance with an amount of speech in seconds would count."""
        return evidence > 0 and (self._only_short or evidence >= self._info.gate.min_speech)

    def add(self, output: ModelOutput, evidence: float) -> None:
        """Add an utterance.

        Args:
            output: the model's output for it.
            evidence: seconds of speech in it.
        """
        if self._only_short and evidence >= self._info.gate.min_speech:
            self._only_short = False
            self._sum, self._weight, self._utterances = np.zeros_like(self._sum), 0.0, 0
        self._sum += evidence * output.numbers
        self._weight += evidence
        self._utterances += 1

    def decision(self, evidence: float) -> Decision:
        """The decision on the recording.

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
        """The verdict on the recording.

        Args:
            duration: its length in seconds.
            evidence: seconds of speech in it.
        """
        decision = self.decision(evidence)
        speech = min(1.0, evidence / duration) if duration else 0.0
        windows = 0 if decision.probabilities is None else self._utterances
        return Verdict(**vars(decision), duration=duration, speech=speech, windows=windows)
