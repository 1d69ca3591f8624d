"""Lookahead: classify each utterance of a recording against the speech around it.

Live, the speaker's baseline can contain only earlier speech. In a recording, the later speech is
known too; so an utterance waits for it, and is classified again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live_ser.inference.prosody import Prosody, UsualProsody
from live_ser.inference.utterances import Utterance
from live_ser.model.onnx_model import EmotionModel, ModelOutput
from live_ser.model.speaker import RunningBaseline

HORIZON = 120.0
"""Seconds of later sound that an utterance waits for."""


@dataclass(frozen=True)
class _Context:
    """The voice in an utterance, and the baseline before it.

    Attributes:
        voice: float64 ``[size]``, the voice of the utterance without the effect of its emotion.
        seconds: weight of ``voice``, in seconds.
        past: float64 ``[size]``, the baseline before the utterance.
        weight: weight of ``past``, in seconds, including that of a typical voice.
    """

    voice: NDArray[np.float64]
    seconds: float
    past: NDArray[np.float64]
    weight: float


@dataclass(frozen=True)
class _Waiting:
    """An utterance after its first classification; it has no context if it is too short."""

    utterance: Utterance
    output: ModelOutput | None
    context: _Context | None = None


class Lookahead:
    """Classify the utterances of a recording, in order, once the speech after them is known.

    With a model that has no baseline, utterances do not wait.

    Args:
        model: the model.
        baseline: the speaker's baseline, which the utterances update; None for a new one.

    Attributes:
        model: the model; it may be replaced by one with other teaching.
    """

    def __init__(self, model: EmotionModel, baseline: RunningBaseline | None = None) -> None:
        if baseline is None:
            baseline = RunningBaseline.of(model)
        self.model = model
        self._baseline = baseline if model.info.baseline else None
        self._waiting: deque[_Waiting] = deque()
        self._usual = UsualProsody()

    def push(
        self, utterance: Utterance, *, wanted: bool
    ) -> Iterator[tuple[Utterance, ModelOutput | None]]:
        """Add an utterance; yield those that need not wait any longer, with the model's output.

        Args:
            utterance: the next utterance of the recording.
            wanted: whether to classify it.
        """
        yield from self._due(utterance.start - HORIZON)
        self._waiting.append(self._first(utterance) if wanted else _Waiting(utterance, None))
        if self._baseline is None:
            yield from self.finish()

    @property
    def usual(self) -> Prosody | None:
        """The speaker's usual prosody so far; None after too little speech."""
        return self._usual.with_later(())

    def finish(self) -> Iterator[tuple[Utterance, ModelOutput | None]]:
        """Yield the utterances that still wait: nothing follows any more."""
        yield from self._due(math.inf)

    def _due(self, until: float) -> Iterator[tuple[Utterance, ModelOutput | None]]:
        while self._waiting and self._waiting[0].utterance.end <= until:
            first = self._waiting.popleft()
            later = [one.utterance.prosody_sums for one in self._waiting]
            utterance = replace(first.utterance, usual=self._usual.with_later(later))
            self._usual.add(utterance.prosody_sums)
            yield utterance, self._again(first)

    def _first(self, utterance: Utterance) -> _Waiting:
        """Classify an utterance against the speech before it."""
        if self._baseline is None:
            return _Waiting(utterance, self.model.predict(utterance.frames))
        past = self._baseline.before(utterance.start)
        output = self.model.predict(utterance.frames, past)
        if utterance.evidence < self.model.info.gate.min_speech:
            return _Waiting(utterance, output)
        context = _Context(
            self._baseline.neutral_voice(output),
            utterance.end - utterance.start,
            past.astype(np.float64),
            self._baseline.denominator,
        )
        self._baseline.update(output, utterance.start, utterance.end)
        return _Waiting(utterance, output, context)

    def _again(self, first: _Waiting) -> ModelOutput | None:
        """Classify an utterance against the speech after it as well, if there is any."""
        later = [one.context for one in self._waiting if one.context]
        if not first.context or not later:
            return first.output
        seconds = [first.context.weight, *(one.seconds for one in later)]
        voices = [first.context.past, *(one.voice for one in later)]
        around = np.average(voices, axis=0, weights=seconds)
        return self.model.predict(first.utterance.frames, around.astype(np.float32))
