"""Predictions with a speaker baseline, from a given amount of other speech.

Balanced speech is a random mix of emotions, neutral speech is enrolled, and one-sided speech has
one emotion, drawn for each clip, as in a session with a single mood.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.frontend.dc_blocker import block_dc
from live_ser.frontend.features import Frames, log_mel
from live_ser.frontend.gate import frame_range, speech_mask
from live_ser.inference.decision import decide
from live_ser.inference.results import Decision, Verdict
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline
from live_ser.spec import ModelInfo
from training.corpora.clips import Clip
from training.data.sound import read_sound
from training.evaluation.model_pool import ModelPool
from training.evaluation.predictions import Predictions
from training.evaluation.sessions import by_speaker


@dataclass(frozen=True)
class PriorSpeech:
    """Speech of a speaker that is known before a clip is predicted.

    Attributes:
        seconds: seconds of speech, or less if the speaker has less.
        kind: ``balanced``, ``neutral`` or ``one-sided``.
    """

    seconds: float
    kind: str = "balanced"

    def __str__(self) -> str:
        return f"{self.seconds:g} s {self.kind}" if self.seconds else "none"


PRIOR_SPEECH = (
    PriorSpeech(0),
    *(
        PriorSpeech(seconds, kind)
        for kind in ("balanced", "neutral", "one-sided")
        for seconds in (5, 10, 30, 120)
    ),
)


def predict_with_baselines(
    pool: ModelPool,
    clips: Sequence[Clip],
    priors: Sequence[PriorSpeech],
    *,
    seed: int,
    description: str,
) -> dict[str, Predictions]:
    """Predict clips against baselines of their speakers.

    Args:
        pool: pool of a model with a baseline.
        clips: the clips; a speaker's prior speech comes from the speaker's other clips.
        priors: amounts and kinds of prior speech.
        seed: seed of the clips that are drawn.
        description: description of the progress bar.

    Returns:
        The predictions by the name of the prior speech.
    """
    speakers = by_speaker(clips)
    one = partial(predict_speaker, priors=tuple(priors), seed=seed)
    verdicts = [each for speaker in pool.map(one, speakers, description) for each in speaker]
    ordered = tuple(clip for speaker in speakers for clip in speaker)
    return {
        str(prior): Predictions(pool.info.labels, ordered, column)
        for prior, column in zip(priors, zip(*verdicts, strict=True), strict=True)
    }


def predict_speaker(
    model: EmotionModel, clips: Sequence[Clip], *, priors: Sequence[PriorSpeech], seed: int
) -> list[list[Verdict]]:
    """Verdicts ``[clip][prior]`` of a speaker; see :func:`predict_with_baselines`."""
    speech = [spoken_frames(clip, model.info) for clip in clips]
    verdicts: list[list[Verdict]] = []
    for place, clip in enumerate(clips):
        rng = np.random.default_rng([seed, zlib.crc32(clip.id.encode())])
        others = [
            (other.emotion, frames)
            for index, (other, frames) in enumerate(zip(clips, speech, strict=True))
            if index != place and len(frames)
        ]
        baselines = [_baseline(model, others, prior, rng) for prior in priors]
        verdicts.append([_verdict(model, speech[place], one) for one in baselines])
    return verdicts


def _baseline(
    model: EmotionModel,
    others: Sequence[tuple[str, Frames]],
    prior: PriorSpeech,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """The baseline after some of the speaker's other speech, as in a session."""
    emotions = sorted({emotion for emotion, _ in others})
    only = {"neutral": "neutral", "one-sided": rng.choice(emotions) if emotions else ""}
    wanted = only.get(prior.kind)
    usable = [frames for emotion, frames in others if wanted in (None, emotion)]
    running = RunningBaseline(model.info, enrol=prior.seconds if prior.kind == "neutral" else 0.0)
    now = 0.0
    for index in rng.permutation(len(usable)):
        if now >= prior.seconds:
            break
        start, now = now, now + len(usable[index]) / _rate(model.info)
        running.update(model.predict(usable[index], running.before(start)), start, now)
    return running.before(now)


def _rate(info: ModelInfo) -> float:
    """Frames per second."""
    return info.features.sample_rate / info.features.hop_length


def spoken_frames(clip: Clip, info: ModelInfo, samples: Samples | None = None) -> Frames:
    """The log-mel frames of a clip's speech, at most a window.

    Args:
        clip: the clip.
        info: metadata of the model.
        samples: float32 ``[n]``; None to read those of the clip.
    """
    spec = info.features
    samples = read_sound(clip.path, spec.sample_rate) if samples is None else samples
    frames = log_mel(block_dc(samples, spec.sample_rate), spec)
    mask = speech_mask(samples, spec.sample_rate, info.gate)
    first, last = frame_range(mask, spec.hop_length / spec.sample_rate, len(frames))
    most = spec.frames_in(round(info.window * spec.sample_rate))
    start = first + max(0, (last - first - most) // 2)
    return frames[start : min(last, start + most)]


def _verdict(model: EmotionModel, frames: Frames, baseline: NDArray[np.float32]) -> Verdict:
    seconds = len(frames) / _rate(model.info)
    if not len(frames):
        decision = Decision(state="silence", evidence=0.0)
    else:
        output = model.predict(frames, baseline)
        decision = decide(model.info, output.probabilities, output.activation, evidence=seconds)
    windows = int(bool(len(frames)))
    return Verdict(**vars(decision), duration=seconds, speech=float(windows), windows=windows)
