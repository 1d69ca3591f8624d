"""The analysis of a recording of any length, in one pass.

Features are computed once. Windows, utterances and the verdict are derived from them, and features
that are no longer needed are dropped.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from numpy.typing import ArrayLike

from live_ser.audio.blocks import Voice
from live_ser.audio.channels import parts
from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.prefetch import prefetch
from live_ser.inference.results import Prediction, Segment, Verdict, spoken_by
from live_ser.inference.settings import Settings
from live_ser.inference.utterance_classifier import UtteranceClassifier
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import SlidingWindows
from live_ser.model.onnx_model import EmotionModel


def analyse(
    model: EmotionModel,
    blocks: Iterable[ArrayLike],
    *,
    voices: Sequence[Voice] = (),
    hop: float | None = None,
    smoothing: float | None = None,
    timeline: bool = False,
    segments: bool = False,
    threads: int = 1,
) -> Iterator[Prediction | Segment | Verdict]:
    """Classify a recording in one pass.

    Args:
        model: the model.
        blocks: float32 ``[n]`` each, mono at the model's rate; or ``[n, channels]``, with
            ``voices``.
        voices: the channels of the blocks, each classified separately, against a baseline of its
            own; none for mono blocks.
        hop: seconds between predictions; None for the model's default.
        smoothing: time constant of the predictions in seconds; None for the default of 1.
        timeline: yield a :class:`Prediction` each hop, the same as a :class:`Monitor`.
        segments: yield a :class:`Segment` for each utterance, once the speech after it is known.
        threads: 2 to read and compute features in another thread, which is faster on several
            cores.

    Yields:
        The requested results as they become known, and then the :class:`Verdict` for each voice.

    Raises:
        InvalidArgument: ``hop`` or ``smoothing`` is out of range.
    """
    info = model.info
    settings = Settings.checked(info, hop, smoothing)
    # Without a timeline, the fewer steps the better.
    step = settings.hop if timeline else info.window
    chains = [_Chain.of(voice, model, settings, step) for voice in voices or (Voice(),)]
    steps = _features(chains, blocks, len(voices))
    with closing(prefetch(steps) if threads > 1 else steps) as steps:
        for chain, features, arrived in steps:
            if timeline:
                yield chain.classify(features, arrived)
            yield from (segment for segment in chain.push(features) if segments)
    for chain in chains:
        yield from (segment for segment in chain.finish() if segments)
    for chain in chains:
        yield chain.verdict()


def classify_clip(model: EmotionModel, blocks: Iterable[ArrayLike]) -> Verdict:
    """The verdict on a recording.

    Args:
        model: the model.
        blocks: float32 ``[n]`` each, mono at the model's rate.
    """
    (verdict,) = analyse(model, blocks)
    assert isinstance(verdict, Verdict)
    return verdict


@dataclass(frozen=True)
class _Chain:
    """The chain from samples to results for one voice."""

    voice: Voice
    front_end: FrontEnd
    sliding: SlidingWindows
    windows: WindowClassifier
    utterances: UtteranceClassifier

    @classmethod
    def of(cls, voice: Voice, model: EmotionModel, settings: Settings, step: float) -> _Chain:
        return cls(
            voice,
            FrontEnd(model.info, step),
            SlidingWindows(model.info),
            WindowClassifier(model, settings),
            UtteranceClassifier(model),
        )

    def classify(self, features: Features, arrived: float) -> Prediction:
        return spoken_by(self.voice, self.windows.classify(self.sliding.push(features), arrived))

    def push(self, features: Features) -> Iterator[Segment]:
        return (spoken_by(self.voice, segment) for segment in self.utterances.push(features))

    def finish(self) -> Iterator[Segment]:
        return (spoken_by(self.voice, segment) for segment in self.utterances.finish())

    def verdict(self) -> Verdict:
        return spoken_by(self.voice, self.utterances.verdict(self.front_end.seconds))


def _features(
    chains: Sequence[_Chain], blocks: Iterable[ArrayLike], voices: int
) -> Generator[tuple[_Chain, Features, float], None, None]:
    """The features of each step, with the chain of their voice and the time of arrival."""
    for block in blocks:
        arrived = time.perf_counter()
        each = zip(chains, parts(block, voices), strict=True)
        for step in zip(*[chain.front_end.push(part) for chain, part in each], strict=True):
            for chain, features in zip(chains, step, strict=True):
                yield chain, features, arrived
            arrived = time.perf_counter()
    arrived = time.perf_counter()
    for chain in chains:
        for features in chain.front_end.finish():
            yield chain, features, arrived
