"""The analysis of a recording: one pass over its sound, however long it is.

Log-mel frames and the speech gate are computed once. Windows, stretches of speech and the verdict
on the whole are all made of them, and what is no longer needed is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from numpy.typing import ArrayLike

from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.prefetch import prefetch
from live_ser.inference.results import Prediction, Segment, Verdict
from live_ser.inference.settings import Settings
from live_ser.inference.utterance_classifier import UtteranceClassifier
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import SlidingWindows
from live_ser.model.onnx_model import EmotionModel


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
        InvalidArgument: the hop or the smoothing cannot be.
    """
    info = model.info
    settings = Settings.checked(info, hop, smoothing)
    # Without a timeline, the fewer steps the better.
    front_end = FrontEnd(info, settings.hop if timeline else info.window)
    sliding, classifier = SlidingWindows(info), WindowClassifier(model, settings)
    recording = UtteranceClassifier(model)
    steps = _features(front_end, blocks)
    with closing(prefetch(steps) if threads > 1 else steps) as steps:
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
