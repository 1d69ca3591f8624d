"""Classify the utterances of a recording, and the recording as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.stream import Features
from live_ser.inference.decision import decide
from live_ser.inference.lookahead import Lookahead
from live_ser.inference.prosody import NOTHING
from live_ser.inference.results import Decision, Segment, Verdict
from live_ser.inference.utterances import Utterance, UtteranceStream
from live_ser.inference.verdict import VerdictSum
from live_ser.model.onnx_model import EmotionModel, ModelOutput
from live_ser.model.taught import TaughtModel


class UtteranceClassifier:
    """Classify the utterances of a recording, in order.

    Args:
        model: the model.
        lookahead: classifies each utterance once the speech after it is known; None for a new one.
        start: seconds from the start of the source to the first step that is pushed.
    """

    def __init__(
        self, model: EmotionModel, lookahead: Lookahead | None = None, start: float = 0.0
    ) -> None:
        self._info = model.info
        self._lookahead = lookahead or Lookahead(model)
        self._verdict = VerdictSum(model.info)
        self._evidence = 0.0
        self._seconds = dict.fromkeys(model.info.labels, 0.0)
        self._start = start
        self._origin: int | None = None
        self._usual = self._lookahead.usual  # before this recording
        self._prosody = NOTHING
        self._counted_until: float | None = None  # seconds; None after a gap
        self._utterances = UtteranceStream(model.info)
        self._embedding: NDArray[np.float64] = np.zeros(1)  # summed over the seconds of speech
        self._weight = 0.0  # these seconds

    def push(self, features: Features) -> Iterator[Segment]:
        """Add a step, and yield the segments that are final now.

        Args:
            features: features of the next step. No utterance reaches across a gap.
        """
        if self._origin not in (None, features.origin):
            yield from self._classify(self._utterances.finish())
            self._start = features.origin / self._info.features.sample_rate
            self._counted_until = None
            self._utterances = UtteranceStream(self._info)
        self._origin = features.origin
        self._evidence += float(np.count_nonzero(features.mask)) * CHUNK_SECONDS
        yield from self._classify(
            self._utterances.push(features.frames, features.mask, features.voice)
        )

    def finish(self) -> Iterator[Segment]:
        """Yield the segments that still wait."""
        yield from self._classify(self._utterances.finish())
        yield from starmap(self._segment, self._lookahead.finish())

    def verdict(self, duration: float) -> Verdict:
        """The verdict on the recording, after :meth:`finish`.

        Args:
            duration: its length in seconds.
        """
        prosody = self._prosody.prosody(self._usual)
        verdict = replace(self._verdict.verdict(duration, self._evidence), prosody=prosody)
        if verdict.probabilities is None:
            return verdict
        shares = {label: min(1.0, s / self._evidence) for label, s in self._seconds.items()}
        return replace(verdict, shares=shares, taught=self._is_taught)

    @property
    def _is_taught(self) -> bool:
        """Whether the model was taught with this very recording."""
        model = self._lookahead.model
        if not isinstance(model, TaughtModel) or model.teaching is None or not self._weight:
            return False
        return model.teaching.holds(self._embedding / self._weight)

    def _classify(self, utterances: Iterable[Utterance]) -> Iterator[Segment]:
        for utterance in utterances:
            if utterance.evidence:
                wanted = len(utterance.frames) > 0 and self._verdict.wants(utterance.evidence)
                placed = replace(
                    utterance, start=self._start + utterance.start, end=self._start + utterance.end
                )
                self._count(placed)
                yield from starmap(self._segment, self._lookahead.push(placed, wanted=wanted))

    def _count(self, utterance: Utterance) -> None:
        """Add the prosody of an utterance, and the pause before it, to that of the recording."""
        since = utterance.start if self._counted_until is None else self._counted_until
        self._prosody += utterance.prosody_sums.after(utterance.start - since)
        self._counted_until = utterance.end

    def _segment(self, utterance: Utterance, output: ModelOutput | None) -> Segment:
        """The segment of an utterance, which is also added to the verdict."""
        evidence = utterance.evidence
        if output and self._verdict.wants(evidence):
            self._verdict.add(output, evidence)
        decision = Decision(state="listening", evidence=evidence)
        if output and evidence >= self._info.gate.min_speech:
            if output.embedding is not None:
                self._embedding = self._embedding + evidence * output.embedding
                self._weight += evidence
            decision = decide(
                self._info,
                output.probabilities,
                output.activation,
                evidence=evidence,
                valence=output.valence,
            )
        if decision.state == "speech" and decision.label is not None:
            self._seconds[decision.label] += evidence
        decision = replace(decision, prosody=utterance.prosody_sums.prosody(utterance.usual))
        return Segment(**vars(decision), start=utterance.start, end=utterance.end)
