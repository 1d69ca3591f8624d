"""What a speaker's baseline is worth: clips measured against so much of the speaker's other speech.

Balanced speech is of any emotion, neutral speech is enrolled, and one-sided speech is of one
emotion drawn for each clip: what a session gives in which somebody is in one mood.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.frontend.features import Frames, log_mel
from live_ser.frontend.gate import frame_range, speech_mask
from live_ser.inference.decision import decide
from live_ser.inference.results import Decision, Verdict
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline
from live_ser.spec import ModelInfo
from training.corpora.readers import Clip
from training.data.sound import read_sound
from training.evaluation.judge import Judge
from training.evaluation.judged import Judged
from training.evaluation.sessions import by_speaker


@dataclass(frozen=True)
class Known:
    """What is known of a speaker before a clip is judged.

    Attributes:
        seconds: of speech at least, where there is so much.
        kind: ``balanced``, ``neutral`` or ``one-sided``.
    """

    seconds: float
    kind: str = "balanced"

    def __str__(self) -> str:
        return f"{self.seconds:g} s {self.kind}" if self.seconds else "none"


KNOWN = (
    Known(0),
    *(Known(s, kind) for kind in ("balanced", "neutral", "one-sided") for s in (5, 10, 30, 120)),
)


def measure(
    judge: Judge, clips: Sequence[Clip], known: Sequence[Known], *, seed: int, what: str
) -> dict[str, Judged]:
    """What a model says of clips when it knows something of their speakers.

    Args:
        judge: with a model that takes a baseline.
        clips: to judge; what is known of a speaker comes from the others of them.
        known: of the speakers, one after another.
        seed: of what it rests on.
        what: in front of the progress bar.

    Returns:
        By what is known.
    """
    speakers = by_speaker(clips)
    one = partial(judge_speaker, known=tuple(known), seed=seed)
    found = [verdicts for speaker in judge.map(one, speakers, what) for verdicts in speaker]
    ordered = tuple(clip for speaker in speakers for clip in speaker)
    return {
        str(condition): Judged(judge.info.labels, ordered, verdicts)
        for condition, verdicts in zip(known, zip(*found, strict=True), strict=True)
    }


def judge_speaker(
    model: EmotionModel, clips: Sequence[Clip], *, known: Sequence[Known], seed: int
) -> list[list[Verdict]]:
    """What a model says of each of a speaker's clips; see :func:`measure`."""
    spoken = [spoken_frames(clip, model.info) for clip in clips]
    found: list[list[Verdict]] = []
    for place, clip in enumerate(clips):
        rng = np.random.default_rng([seed, zlib.crc32(clip.id.encode())])
        others = [
            (other.emotion, frames)
            for index, (other, frames) in enumerate(zip(clips, spoken, strict=True))
            if index != place and len(frames)
        ]
        baselines = [_baseline(model, others, one, rng) for one in known]
        found.append([_verdict(model, spoken[place], one) for one in baselines])
    return found


def _baseline(
    model: EmotionModel,
    others: Sequence[tuple[str, Frames]],
    known: Known,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Made of what the speaker said otherwise, as a session makes it."""
    moods = sorted({emotion for emotion, _ in others})
    wanted = {"neutral": "neutral", "one-sided": rng.choice(moods) if moods else ""}
    mood = wanted.get(known.kind)
    usable = [frames for emotion, frames in others if mood in (None, emotion)]
    running = RunningBaseline(model.info, enrol=known.seconds if known.kind == "neutral" else 0.0)
    now = 0.0
    for index in rng.permutation(len(usable)):
        if now >= known.seconds:
            break
        start, now = now, now + len(usable[index]) / _rate(model.info)
        running.hear(model.judge(usable[index], running.before(start)), start, now)
    return running.before(now)


def _rate(info: ModelInfo) -> float:
    """Frames in a second."""
    return info.features.sample_rate / info.features.hop_length


def spoken_frames(clip: Clip, info: ModelInfo, samples: Samples | None = None) -> Frames:
    """The frames of a clip's speech, a window's length at most.

    Args:
        clip: to hear.
        info: of the model.
        samples: float32 ``[n]`` in place of the clip's own.
    """
    spec = info.features
    samples = read_sound(clip.path, spec.sample_rate) if samples is None else samples
    frames = log_mel(samples, spec)
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
        said = model.judge(frames, baseline)
        decision = decide(model.info, said.probabilities, said.activation, evidence=seconds)
    judged = bool(len(frames))
    return Verdict(**vars(decision), duration=seconds, speech=float(judged), windows=int(judged))
