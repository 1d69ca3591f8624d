"""Clips: one verdict for a recording as a whole.

The verdict is no average of windows: the clip is cut at its pauses into pieces that fit the window,
each piece is judged once, and those that hold more speech count for more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.features import Frames, FrameStream, Samples
from live_ser.model import EmotionModel, Judgement
from live_ser.monitor import State
from live_ser.spec import ModelInfo
from live_ser.speech import CHUNK_SECONDS, SpeechGate, frame_range

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Verdict:
    """What a clip sounds like.

    Attributes:
        duration: seconds.
        state: ``speech``, ``uncertain``, ``listening`` (too little speech) or ``silence``.
        label: the emotion; the best guess in ``uncertain``, None in ``silence`` and ``listening``.
        confidence: probability of the label, 0 to 1.
        probabilities: of every label; None where nothing was judged.
        activation: how aroused the voice sounds, 0 (calm) to 1.
        speech: share of the clip that is speech, 0 to 1.
        evidence: seconds of speech.
        windows: pieces that were judged.
    """

    duration: float
    state: State
    label: str | None
    confidence: float | None
    probabilities: Mapping[str, float] | None
    activation: float | None
    speech: float
    evidence: float
    windows: int


def judge_clip(model: EmotionModel, blocks: Iterable[Samples]) -> Verdict:
    """One verdict for a whole recording.

    Only log-mel frames and the speech mask of it are kept, not its samples.

    Args:
        model: that judges.
        blocks: float32 ``[n]`` each, mono at the model's rate.
    """
    info = model.info
    frames, mask, duration = _hear(model, blocks)
    evidence = _seconds(mask)
    judged: list[tuple[Judgement, float]] = []
    if evidence and evidence >= info.gate.min_speech:
        judged = list(_judge_pieces(model, frames, mask))
    if not judged:
        return Verdict(
            duration=duration,
            state="listening" if evidence else "silence",
            label=None,
            confidence=None,
            probabilities=None,
            activation=None,
            speech=min(1.0, evidence / duration) if duration else 0.0,
            evidence=evidence,
            windows=0,
        )
    weights = [weight for _, weight in judged]
    mean = np.average([judgement.probabilities for judgement, _ in judged], 0, weights)
    best = int(np.argmax(mean))
    return Verdict(
        duration=duration,
        state="uncertain" if mean[best] < info.abstain else "speech",
        label=info.labels[best],
        confidence=float(mean[best]),
        probabilities=dict(zip(info.labels, map(float, mean), strict=True)),
        activation=float(np.average([judgement.activation for judgement, _ in judged], 0, weights)),
        speech=min(1.0, evidence / duration),
        evidence=evidence,
        windows=len(judged),
    )


def pieces(mask: Mask, longest: int) -> list[tuple[int, int]]:
    """Cut speech at its pauses, the longest ones first, until every piece is short enough.

    Args:
        mask: bool ``[chunks]``, where there is speech.
        longest: chunks that a piece may have.

    Returns:
        First chunk and the chunk after the last of each piece, in order. Pieces begin and end with
        speech, but for those cut in the middle of speech that has no pause.
    """
    spoken = np.flatnonzero(mask)
    if not len(spoken):
        return []
    # Pause i lies between the spoken chunks i and i + 1; pieces are ranges of spoken chunks.
    pauses = np.diff(spoken) - 1
    done, todo = [], [(0, len(spoken))]
    while todo:
        first, stop = todo.pop()
        begin, end = int(spoken[first]), int(spoken[stop - 1]) + 1
        if end - begin <= longest or stop - first < 2:
            done.append((begin, end))
            continue
        cut = first + int(np.argmax(pauses[first : stop - 1]))
        if pauses[cut] == 0:
            cut = (first + stop) // 2 - 1
        todo += [(cut + 1, stop), (first, cut + 1)]
    return done


def _hear(model: EmotionModel, blocks: Iterable[Samples]) -> tuple[Frames, Mask, float]:
    """Log-mel frames, speech mask and seconds of a recording."""
    info = model.info
    rate = info.features.sample_rate
    frame_stream = FrameStream(info.features)
    gate = SpeechGate(rate, info.gate.floor_db)
    frames: list[Frames] = [np.zeros((0, info.features.n_mels), np.float32)]
    mask: list[Mask] = [np.zeros(0, np.bool_)]
    heard = 0
    for samples in blocks:
        frames.append(frame_stream.push(samples))
        mask.append(gate.push(samples) >= info.gate.threshold)
        heard += len(samples)
    return np.concatenate(frames), np.concatenate(mask), heard / rate


def _judge_pieces(
    model: EmotionModel, frames: Frames, mask: Mask
) -> Iterator[tuple[Judgement, float]]:
    """A judgement of each piece, and the seconds of speech that it rests on."""
    gate = model.info.gate
    cut = _speech_pieces if gate.trim else _stretches
    found = [(mine, seconds) for mine, seconds in cut(model.info, frames, mask) if len(mine)]
    most = max((seconds for _, seconds in found), default=0.0)
    # Scraps are left out, unless there is nothing else.
    least = gate.min_speech if most >= gate.min_speech else 0.0
    for mine, seconds in found:
        if seconds and seconds >= least:
            yield model.predict(mine), seconds


def _speech_pieces(info: ModelInfo, frames: Frames, mask: Mask) -> Iterator[tuple[Frames, float]]:
    hop_seconds = info.features.hop_length / info.features.sample_rate
    for start, stop in pieces(mask, int(info.window / CHUNK_SECONDS)):
        whole = np.ones(stop - start, np.bool_)
        first, last = frame_range(whole, hop_seconds, len(frames), -start * CHUNK_SECONDS)
        yield frames[first:last], _seconds(mask[start:stop])


def _stretches(info: ModelInfo, frames: Frames, mask: Mask) -> Iterator[tuple[Frames, float]]:
    """The clip as it lies, a window at a time, for models that hear pauses too."""
    spec = info.features
    seconds = len(mask) * CHUNK_SECONDS
    start = info.offset if info.offset < seconds else 0.0
    while start < seconds:
        stop = start + info.window
        first = math.ceil(start * spec.sample_rate / spec.hop_length)
        last = first + spec.frames_in(round(info.window * spec.sample_rate))
        chunks = slice(round(start / CHUNK_SECONDS), round(stop / CHUNK_SECONDS))
        yield frames[first:last], _seconds(mask[chunks])
        start = stop


def _seconds(mask: Mask) -> float:
    return float(np.count_nonzero(mask)) * CHUNK_SECONDS
