"""The analysis of a recording: one pass over its sound, however long it is.

Log-mel frames and the speech gate are computed once. Windows, stretches of speech and the verdict
on the whole are all made of them, and what is no longer needed is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import starmap

import numpy as np

from live_ser.ahead import ahead
from live_ser.clip import Verdict, VerdictSum
from live_ser.features import Samples
from live_ser.hindsight import Hindsight
from live_ser.model import EmotionModel, Judgement
from live_ser.monitor import Monitor, Prediction, State
from live_ser.results import Result
from live_ser.speech import CHUNK_SECONDS
from live_ser.utterances import Stretch, StretchStream
from live_ser.windows import Window, WindowStream


@dataclass(frozen=True)
class Segment(Result):
    """An utterance, measured against what is said around it.

    Attributes:
        start: seconds from the start of the recording to its first speech.
        end: seconds from the start of the recording to the end of its last speech.
        state: ``speech``, ``uncertain`` or ``listening`` (too little speech to be judged).
        label: the emotion; the best guess in ``uncertain``, None in ``listening``.
        confidence: probability of the label, 0 to 1.
        probabilities: of every label; None in ``listening``.
        activation: how aroused the voice sounds, 0 (calm) to 1.
        evidence: seconds of speech.
    """

    start: float
    end: float
    state: State
    label: str | None
    confidence: float | None
    probabilities: Mapping[str, float] | None = field(hash=False)
    activation: float | None
    evidence: float


def analyse(
    model: EmotionModel,
    blocks: Iterable[Samples],
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
    monitor = Monitor(model, (), hop=hop, smoothing=smoothing)
    # Without a timeline windows only bring what is new in them: the fewer, the better.
    windows = WindowStream(info, monitor.hop if timeline else info.window)
    clip = _Clip(model)
    heard = _windows(windows, blocks)
    with closing(ahead(heard) if threads > 1 else heard) as heard:
        for window, arrived in heard:
            if timeline:
                yield monitor.judge(window, arrived)
            yield from (segment for segment in clip.hear(window) if segments)
    yield from (segment for segment in clip.finish() if segments)
    yield clip.verdict(windows.seconds)


def judge_clip(model: EmotionModel, blocks: Iterable[Samples]) -> Verdict:
    """One verdict for a whole recording.

    Args:
        model: that judges.
        blocks: float32 ``[n]`` each, mono at the model's rate.
    """
    *_, verdict = analyse(model, blocks)
    assert isinstance(verdict, Verdict)
    return verdict


class _Clip:
    """What is made of the stretches of a recording, one after another."""

    def __init__(self, model: EmotionModel) -> None:
        self._info = model.info
        self._stretches = StretchStream(model.info)
        self._hindsight = Hindsight(model)
        self._sum = VerdictSum(model.info)
        self._evidence = 0.0

    def hear(self, window: Window) -> Iterator[Segment]:
        """Hear what is new in a window; the utterances that are judged for good now."""
        self._evidence += float(np.count_nonzero(window.new_mask)) * CHUNK_SECONDS
        yield from self._push(self._stretches.push(window.new_frames, window.new_mask))

    def finish(self) -> Iterator[Segment]:
        """Those that nothing follows any more."""
        yield from self._push(self._stretches.finish())
        yield from starmap(self._segment, self._hindsight.finish())

    def verdict(self, duration: float) -> Verdict:
        """On all of it."""
        return self._sum.verdict(duration, self._evidence)

    def _push(self, stretches: Iterable[Stretch]) -> Iterator[Segment]:
        for stretch in stretches:
            if stretch.evidence:
                wanted = len(stretch.frames) > 0 and self._sum.wants(stretch.evidence)
                yield from starmap(self._segment, self._hindsight.push(stretch, wanted=wanted))

    def _segment(self, stretch: Stretch, judgement: Judgement | None) -> Segment:
        """A stretch, counted in the verdict."""
        if judgement and self._sum.wants(stretch.evidence):
            self._sum.add(judgement, stretch.evidence)
        enough = stretch.evidence >= self._info.gate.min_speech
        return self._named(stretch, judgement if enough else None)

    def _named(self, stretch: Stretch, judgement: Judgement | None) -> Segment:
        info = self._info
        state: State = "listening"
        label, confidence, named = None, None, None
        if judgement is not None:
            named = dict(zip(info.labels, map(float, judgement.probabilities), strict=True))
            label = max(named, key=named.__getitem__)
            confidence = named[label]
            state = "uncertain" if confidence < info.abstain else "speech"
        return Segment(
            start=stretch.start,
            end=stretch.end,
            state=state,
            label=label,
            confidence=confidence,
            probabilities=named,
            activation=judgement.activation if judgement else None,
            evidence=stretch.evidence,
        )


def _windows(
    stream: WindowStream, blocks: Iterable[Samples]
) -> Generator[tuple[Window, float], None, None]:
    """Every window of a recording, and when it was heard."""
    for block in blocks:
        arrived = time.perf_counter()
        for window in stream.push(block):
            yield window, arrived
            arrived = time.perf_counter()
    arrived = time.perf_counter()
    for window in stream.finish():
        yield window, arrived
