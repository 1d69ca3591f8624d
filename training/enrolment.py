"""What a speaker's baseline is worth: clips measured against so much of the speaker's other speech.

Balanced speech is of any emotion, neutral speech is what an enrolment asks for, and one-sided
speech is of one emotion drawn for each clip: what a session gives in which somebody is in one mood.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from live_ser.baseline import Sums
from live_ser.clip import Verdict
from live_ser.features import Frames, log_mel
from live_ser.model import EmotionModel
from live_ser.spec import ModelInfo
from live_ser.speech import frame_range, speech_mask
from training.conditions import read
from training.corpora import Clip

Baseline = NDArray[np.float32] | None

SECONDS = (5, 10, 30, 120)
KINDS = ("balanced", "neutral", "one-sided")
CONDITIONS = ("none", *(f"{seconds} s {kind}" for kind, seconds in product(KINDS, SECONDS)))


def judge_speaker(model: EmotionModel, clips: Sequence[Clip], *, seed: int) -> list[list[Verdict]]:
    """What a model says of each of a speaker's clips, under each of :data:`CONDITIONS`.

    Args:
        model: that takes a baseline.
        clips: all of one speaker.
        seed: of the speech that the baselines are made of.
    """
    spec = model.info.baseline
    assert spec is not None
    spoken = [_spoken(clip, model.info) for clip in clips]
    sums = [Sums.of(frames, spec.floor_db) if len(frames) else None for frames in spoken]
    rate = model.info.features.sample_rate / model.info.features.hop_length
    found: list[list[Verdict]] = []
    for place, clip in enumerate(clips):
        rng = np.random.default_rng([seed, zlib.crc32(clip.id.encode())])
        baselines = _baselines(place, clips, sums, rate, rng)
        found.append([_verdict(model, spoken[place], rate, one) for one in baselines])
    return found


def _baselines(
    place: int,
    clips: Sequence[Clip],
    sums: Sequence[Sums | None],
    rate: float,
    rng: np.random.Generator,
) -> Iterator[Baseline]:
    """One for each condition."""
    yield None
    emotions = sorted({clip.emotion for clip in clips})
    mood = emotions[rng.integers(len(emotions))]
    for kind, seconds in product(KINDS, SECONDS):
        wanted = {"neutral": "neutral", "one-sided": mood}.get(kind)
        usable = [
            one
            for other, (clip, one) in enumerate(zip(clips, sums, strict=True))
            if other != place and one is not None and wanted in (None, clip.emotion)
        ]
        total: Sums | None = None
        for index in rng.permutation(len(usable)):
            total = usable[index] if total is None else total + usable[index]
            if total.frames >= seconds * rate:
                break
        yield None if total is None else total.statistics.astype(np.float32)


def _spoken(clip: Clip, info: ModelInfo) -> Frames:
    """The frames of a clip's speech, a window's length at most."""
    spec = info.features
    samples = read(clip.path, spec.sample_rate)
    frames = log_mel(samples, spec)
    mask = speech_mask(samples, spec.sample_rate, info.gate)
    first, last = frame_range(mask, spec.hop_length / spec.sample_rate, len(frames))
    most = spec.frames_in(round(info.window * spec.sample_rate))
    start = first + max(0, (last - first - most) // 2)
    return frames[start : min(last, start + most)]


def _verdict(model: EmotionModel, frames: Frames, rate: float, baseline: Baseline) -> Verdict:
    seconds = len(frames) / rate
    if not len(frames):
        return Verdict(seconds, "silence", None, None, None, None, 0.0, 0.0, 0)
    said = model.judge(frames, baseline)
    best = int(np.argmax(said.probabilities))
    confidence = float(said.probabilities[best])
    return Verdict(
        duration=seconds,
        state="uncertain" if confidence < model.info.abstain else "speech",
        label=model.info.labels[best],
        confidence=confidence,
        probabilities=dict(zip(model.info.labels, map(float, said.probabilities), strict=True)),
        activation=said.activation,
        speech=1.0,
        evidence=seconds,
        windows=1,
    )
