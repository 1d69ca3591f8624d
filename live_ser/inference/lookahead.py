"""Hindsight: each stretch of a recording is measured against what is said around it.

Live, a voice can be told only against what it said before. Of a recording, what it says next is
there as well; so a stretch waits for that, and is judged again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live_ser.inference.prosody import Prosody, Usual
from live_ser.inference.utterances import Stretch
from live_ser.model.onnx_model import EmotionModel, Judgement
from live_ser.model.speaker import RunningBaseline

HORIZON = 120.0
"""Seconds of the recording, after its end, that a stretch waits for."""


@dataclass(frozen=True)
class _Told:
    """What a stretch tells of how the speaker usually sounds, and what was known before it.

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
    """A stretch as it was judged at first; one with too little speech tells nothing."""

    stretch: Stretch
    judgement: Judgement | None
    told: _Told | None = None


class Hindsight:
    """Judges the stretches of a recording, in their order, when it is known what follows them.

    A model without a baseline has no use for what follows: nothing waits then.

    Args:
        model: the model that judges.
        baseline: what is known of the speaker, which learns from what is heard; nothing if None.

    Attributes:
        model: the model that judges; it may be taught meanwhile.
    """

    def __init__(self, model: EmotionModel, baseline: RunningBaseline | None = None) -> None:
        if baseline is None:
            baseline = RunningBaseline.of(model)
        self.model = model
        self._baseline = baseline if model.info.baseline else None
        self._waiting: deque[_Waiting] = deque()
        self._usual = Usual()

    def push(self, stretch: Stretch, *, wanted: bool) -> Iterator[tuple[Stretch, Judgement | None]]:
        """Hear a stretch; those that need not wait any longer, judged.

        Args:
            stretch: the next one of the recording.
            wanted: whether it is to be judged.
        """
        yield from self._due(stretch.start - HORIZON)
        self._waiting.append(self._first(stretch) if wanted else _Waiting(stretch, None))
        if self._baseline is None:
            yield from self.finish()

    @property
    def usual(self) -> Prosody | None:
        """How the speaker spoke so far; None where too little is known."""
        return self._usual.with_later(())

    def finish(self) -> Iterator[tuple[Stretch, Judgement | None]]:
        """Those that nothing follows any more."""
        yield from self._due(math.inf)

    def _due(self, until: float) -> Iterator[tuple[Stretch, Judgement | None]]:
        while self._waiting and self._waiting[0].stretch.end <= until:
            first = self._waiting.popleft()
            later = [one.stretch.heard for one in self._waiting]
            stretch = replace(first.stretch, usual=self._usual.with_later(later))
            self._usual.add(stretch.heard)
            yield stretch, self._again(first)

    def _first(self, stretch: Stretch) -> _Waiting:
        """Judge a stretch against what was said before it."""
        if self._baseline is None:
            return _Waiting(stretch, self.model.judge(stretch.frames))
        past = self._baseline.before(stretch.start)
        judgement = self.model.judge(stretch.frames, past)
        if stretch.evidence < self.model.info.gate.min_speech:
            return _Waiting(stretch, judgement)
        told = _Told(
            self._baseline.usual(judgement),
            stretch.end - stretch.start,
            past.astype(np.float64),
            self._baseline.denominator,
        )
        self._baseline.hear(judgement, stretch.start, stretch.end)
        return _Waiting(stretch, judgement, told)

    def _again(self, first: _Waiting) -> Judgement | None:
        """Judge it against what was said after it, too, where anything was."""
        later = [one.told for one in self._waiting if one.told]
        if not first.told or not later:
            return first.judgement
        seconds = [first.told.weight, *(one.seconds for one in later)]
        voices = [first.told.past, *(one.voice for one in later)]
        around = np.average(voices, axis=0, weights=seconds)
        return self.model.judge(first.stretch.frames, around.astype(np.float32))
