"""Lookahead: each utterance of a recording is measured against the speech around it.

Live, a voice can be measured only against its earlier speech. In a recording, its later speech is
there as well; so an utterance waits for that, and is classified again.
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
"""Seconds of the recording, after its end, that an utterance waits for."""


@dataclass(frozen=True)
class _Context:
    """How the speaker sounds in an utterance, and how they sounded before it.

    Attributes:
        voice: float64 ``[size]``, the mean of its seconds.
        seconds: that it counts for.
        past: float64 ``[size]``, the mean of the seconds before it, a typical voice among them.
        weight: these seconds.
    """

    voice: NDArray[np.float64]
    seconds: float
    past: NDArray[np.float64]
    weight: float


@dataclass(frozen=True)
class _Waiting:
    """An utterance as it was classified at first; one with too little speech tells nothing."""

    utterance: Utterance
    output: ModelOutput | None
    context: _Context | None = None


class Lookahead:
    """Classifies the utterances of a recording, in their order, when it is known what follows them.

    A model without a baseline has no use for what follows: nothing waits then.

    Args:
        model: the model.
        baseline: what is known of the speaker, which learns from what is heard; nothing if None.

    Attributes:
        model: the model; it may be taught meanwhile.
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
        """Take the next utterance; yield those that need not wait any longer, classified.

        Args:
            utterance: the next one of the recording.
            wanted: whether it is to be classified.
        """
        yield from self._due(utterance.start - HORIZON)
        self._waiting.append(self._first(utterance) if wanted else _Waiting(utterance, None))
        if self._baseline is None:
            yield from self.finish()

    @property
    def usual(self) -> Prosody | None:
        """How the speaker spoke so far; None where too little is known."""
        return self._usual.with_later(())

    def finish(self) -> Iterator[tuple[Utterance, ModelOutput | None]]:
        """Those that nothing follows any more."""
        yield from self._due(math.inf)

    def _due(self, until: float) -> Iterator[tuple[Utterance, ModelOutput | None]]:
        while self._waiting and self._waiting[0].utterance.end <= until:
            first = self._waiting.popleft()
            later = [one.utterance.prosody_sums for one in self._waiting]
            utterance = replace(first.utterance, usual=self._usual.with_later(later))
            self._usual.add(utterance.prosody_sums)
            yield utterance, self._again(first)

    def _first(self, utterance: Utterance) -> _Waiting:
        """Classify an utterance against what was said before it."""
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
        """Classify it against what was said after it, too, where anything was."""
        later = [one.context for one in self._waiting if one.context]
        if not first.context or not later:
            return first.output
        seconds = [first.context.weight, *(one.seconds for one in later)]
        voices = [first.context.past, *(one.voice for one in later)]
        around = np.average(voices, axis=0, weights=seconds)
        return self.model.predict(first.utterance.frames, around.astype(np.float32))
