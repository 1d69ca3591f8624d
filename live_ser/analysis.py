"""The analysis of a recording: one pass over its sound, however long it is.

Log-mel frames and the speech gate are computed once. Windows, stretches of speech and the verdict
on the whole are all made of them, and what is no longer needed is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import starmap

import numpy as np
from numpy.typing import ArrayLike

from live_ser.ahead import ahead
from live_ser.classifier import WindowClassifier
from live_ser.clip import VerdictSum
from live_ser.front_end import Features, FrontEnd
from live_ser.hindsight import Hindsight
from live_ser.model import EmotionModel, Judgement
from live_ser.results import Decision, Prediction, Segment, Verdict, decide
from live_ser.settings import Settings
from live_ser.speech import CHUNK_SECONDS
from live_ser.utterances import Stretch, StretchStream
from live_ser.windows import SlidingWindows


def analyse(
    model: EmotionModel,
    blocks: Iterable[ArrayLike],
    *,
    hop: float | None = None,
    smoothing: float | None = None,
    timeline: bool = False,
    segments: bool = False,
    threads: int = 1,
) -> Iterator[Prediction | Segment | Verdict]:
    """Judge a recording in one pass.

    Args:
        model: that judges.
        blocks: float32 ``[n]`` each, mono at the model's rate.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant of the predictions in seconds; the usual one if None.
        timeline: give a :class:`Prediction` each hop, the same as a :class:`Monitor` gives.
        segments: give a :class:`Segment` for each utterance, when it is known what follows.
        threads: two read and hear ahead while the network judges, which takes less time
            where there are cores for both.

    Returns:
        What was asked for, as it is found, and the :class:`Verdict` at the end.

    Raises:
        LiveSerError: the hop or the smoothing cannot be.
    """
    info = model.info
    settings = Settings.checked(info, hop, smoothing)
    # Without a timeline, the fewer steps the better.
    front_end = FrontEnd(info, settings.hop if timeline else info.window)
    sliding, classifier = SlidingWindows(info), WindowClassifier(model, settings)
    recording = _Recording(model)
    steps = _features(front_end, blocks)
    with closing(ahead(steps) if threads > 1 else steps) as steps:
        for features, arrived in steps:
            if timeline:
                yield classifier.classify(sliding.push(features), arrived)
            yield from (segment for segment in recording.push(features) if segments)
    yield from (segment for segment in recording.finish() if segments)
    yield recording.verdict(front_end.seconds)


def judge_clip(model: EmotionModel, blocks: Iterable[ArrayLike]) -> Verdict:
    """One verdict for a whole recording.

    Args:
        model: that judges.
        blocks: float32 ``[n]`` each, mono at the model's rate.
    """
    *_, verdict = analyse(model, blocks)
    assert isinstance(verdict, Verdict)
    return verdict


class _Recording:
    """The utterances of a recording, judged one after another, and the verdict on all of them."""

    def __init__(self, model: EmotionModel) -> None:
        self._info = model.info
        self._stretches = StretchStream(model.info)
        self._hindsight = Hindsight(model)
        self._sum = VerdictSum(model.info)
        self._evidence = 0.0

    def push(self, features: Features) -> Iterator[Segment]:
        """The utterances that are judged for good, now that this is known."""
        self._evidence += float(np.count_nonzero(features.mask)) * CHUNK_SECONDS
        yield from self._judge(self._stretches.push(features.frames, features.mask))

    def finish(self) -> Iterator[Segment]:
        """Those that nothing follows any more."""
        yield from self._judge(self._stretches.finish())
        yield from starmap(self._segment, self._hindsight.finish())

    def verdict(self, duration: float) -> Verdict:
        """The verdict on all of it."""
        return self._sum.verdict(duration, self._evidence)

    def _judge(self, stretches: Iterable[Stretch]) -> Iterator[Segment]:
        for stretch in stretches:
            if stretch.evidence:
                wanted = len(stretch.frames) > 0 and self._sum.wants(stretch.evidence)
                yield from starmap(self._segment, self._hindsight.push(stretch, wanted=wanted))

    def _segment(self, stretch: Stretch, judgement: Judgement | None) -> Segment:
        """A stretch, counted in the verdict."""
        evidence = stretch.evidence
        if judgement and self._sum.wants(evidence):
            self._sum.add(judgement, evidence)
        decision = Decision(state="listening", evidence=evidence)
        if judgement and evidence >= self._info.gate.min_speech:
            probabilities, activation = judgement.probabilities, judgement.activation
            decision = decide(self._info, probabilities, activation, evidence=evidence)
        return Segment(**vars(decision), start=stretch.start, end=stretch.end)


def _features(
    front_end: FrontEnd, blocks: Iterable[ArrayLike]
) -> Generator[tuple[Features, float], None, None]:
    """The features of a recording, a step at a time, and when each was heard."""
    for block in blocks:
        arrived = time.perf_counter()
        for features in front_end.push(block):
            yield features, arrived
            arrived = time.perf_counter()
    arrived = time.perf_counter()
    for features in front_end.finish():
        yield features, arrived
