"""Takes to teach with, from recordings whose emotion is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from live_ser.audio.blocks import Samples
from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.utterances import Utterance, UtteranceStream
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.take import Take


def take_of(network: EmotionModel, blocks: Iterable[Samples], emotion: str) -> Take | None:
    """Make a take of all speech in a recording.

    Args:
        network: a model that can be taught.
        blocks: float32 ``[n]`` each, mono at the model's rate.
        emotion: its label.

    Returns:
        The take; None if there is too little speech.
    """
    info = network.info
    spoken = [
        utterance
        for utterance in _utterances(network, blocks)
        if len(utterance.frames) and utterance.evidence >= info.gate.min_speech
    ]
    if not spoken:
        return None
    outputs = [network.predict(utterance.frames) for utterance in spoken]
    return Take.of(outputs, [utterance.evidence for utterance in spoken], emotion)


def takes_of_parts(
    network: EmotionModel,
    blocks: Iterable[Samples],
    parts: Sequence[tuple[float, float, str]],
) -> tuple[list[Take | None], float]:
    """Make takes of parts of a recording.

    Args:
        network: a model that can be taught.
        blocks: float32 ``[n]`` each, mono at the model's rate.
        parts: start and end in seconds, and label, of each part.

    Returns:
        The take of each part, None if it has too little speech; and the length of the recording in
        seconds.
    """
    rate = network.info.features.sample_rate
    kept: list[list[Samples]] = [[] for _ in parts]
    position = 0
    for block in blocks:
        for (start, end, _), samples in zip(parts, kept, strict=True):
            first = max(0, round(start * rate) - position)
            stop = len(block) if end == math.inf else round(end * rate) - position
            if first < min(stop, len(block)):
                samples.append(block[first:stop])
        position += len(block)
    takes = [
        take_of(network, samples, emotion)
        for samples, (_, _, emotion) in zip(kept, parts, strict=True)
    ]
    return takes, position / rate


def _utterances(network: EmotionModel, blocks: Iterable[Samples]) -> Iterator[Utterance]:
    front_end = FrontEnd(network.info, network.info.window)
    utterances = UtteranceStream(network.info)

    def steps() -> Iterator[Features]:
        for block in blocks:
            yield from front_end.push(block)
        yield from front_end.finish()

    for features in steps():
        yield from utterances.push(features.frames, features.mask, features.voice)
    yield from utterances.finish()
