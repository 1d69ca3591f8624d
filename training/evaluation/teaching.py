"""What teaching is worth: some clips of a speaker are taught, and the others judged."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline
from live_ser.model.taught import Take, TaughtModel, Teaching
from training.corpora.readers import SAME, Clip
from training.evaluation import metrics
from training.evaluation.conditions import noisy
from training.evaluation.enrolment import spoken_frames
from training.evaluation.judge import Judge
from training.evaluation.sessions import by_speaker

DRAWS = 3
"""How often takes are drawn of each speaker."""

_WRONG = 0.1  # share of labels that are wrong
_NOISE_DB = 10.0


@dataclass(frozen=True)
class Lesson:
    """What a speaker teaches before the others of their clips are judged.

    Attributes:
        name: of the condition.
        takes: of each emotion; 0 teaches nothing.
        emotions: that are taught; 0 for all.
        wrong: share of the takes with a wrong label.
        apart: whether the clips that are judged say other sentences.
        noisy: whether the clips that are judged are noisier than those that were taught.
        unlabelled: whether the takes are heard only.
    """

    name: str
    takes: int
    emotions: int = 0
    wrong: float = 0.0
    apart: bool = False
    noisy: bool = False
    unlabelled: bool = False


LESSONS = (
    *(Lesson(f"{k} takes", k) for k in (0, 1, 2, 3, 5, 10)),
    Lesson("3 takes, other sentences judged", 3, apart=True),
    Lesson("3 takes of two emotions", 3, emotions=2),
    Lesson("3 takes of three emotions", 3, emotions=3),
    Lesson("3 takes, one label in ten wrong", 3, wrong=_WRONG),
    Lesson("nothing taught, judged in noise of 10 dB", 0, noisy=True),
    Lesson("3 takes, judged in noise of 10 dB", 3, noisy=True),
    Lesson("21 takes heard, nothing taught", 3, unlabelled=True),
)


@dataclass(frozen=True)
class Outcome:
    """How the clips of a speaker were judged after a lesson.

    Attributes:
        right: index of the right label of each, ``[n]``.
        guess: of the best guess, ``[n]``.
        confidence: its probability, ``[n]``.
    """

    right: NDArray[np.intp]
    guess: NDArray[np.intp]
    confidence: NDArray[np.float64]

    def uar(self, classes: int) -> float:
        """Mean recall of the emotions that there are."""
        return metrics.uar(self.right, self.guess, classes)


def measure(
    judge: Judge, clips: Sequence[Clip], *, data: Path, seed: int, what: str
) -> list[dict[str, Any]]:
    """Figures for each lesson: UAR, that of the worst speaker, ECE, share of speakers not worse.

    Args:
        judge: with a model that can be taught.
        clips: of corpora that the model never heard.
        data: folder that holds ``noise/esc10``.
        seed: of what is drawn.
        what: in front of the progress bar.
    """
    speakers = by_speaker(clips)
    found = judge.map(partial(teach_speaker, data=data, seed=seed), speakers, what)
    classes = len(judge.info.labels)
    untaught = {one.noisy: at for at, one in reversed([*enumerate(LESSONS)]) if not one.takes}
    rows = []
    for at, lesson in enumerate(LESSONS):
        each = [np.mean([draw[at].uar(classes) for draw in speaker]) for speaker in found]
        before = [
            np.mean([draw[untaught[lesson.noisy]].uar(classes) for draw in speaker])
            for speaker in found
        ]
        outcomes = [draw[at] for speaker in found for draw in speaker]
        right, guess, confidence = (
            np.concatenate([getattr(one, name) for one in outcomes])
            for name in ("right", "guess", "confidence")
        )
        rows.append(
            {
                "condition": lesson.name,
                "uar": float(np.mean(each)),
                "worst": float(np.min(each)),
                "ece": metrics.calibration_error(confidence, right == guess),
                "not_worse": float(np.mean(np.array(each) >= np.array(before))),
                "speakers": len(each),
                "clips": len(right),
            }
        )
    return rows


def teach_speaker(
    model: EmotionModel, clips: Sequence[Clip], *, data: Path, seed: int
) -> list[list[Outcome]]:
    """What comes of each lesson, for several draws of the takes of one speaker."""
    frames = [spoken_frames(clip, model.info) for clip in clips]
    in_noise = partial(noisy, info=model.info, snr_db=_NOISE_DB, data=data, seed=seed)
    spoilt = [spoken_frames(clip, model.info, np.concatenate([*in_noise(clip)])) for clip in clips]
    rate = model.info.features.sample_rate / model.info.features.hop_length
    heard = [at for at, one in enumerate(frames) if len(one)]
    takes = {
        at: Take.of([model.judge(frames[at])], [len(frames[at]) / rate], _emotion(clips[at]))
        for at in heard
    }
    speaker = zlib.crc32(clips[0].speaker.encode())
    return [
        [
            _outcome(
                model, clips, spoilt if lesson.noisy else frames, takes, lesson=lesson, rng=rng
            )
            for lesson in LESSONS
        ]
        for rng in (np.random.default_rng([seed, speaker, draw]) for draw in range(DRAWS))
    ]


def _outcome(
    model: EmotionModel,
    clips: Sequence[Clip],
    frames: Sequence[Frames],
    takes: dict[int, Take],
    *,
    lesson: Lesson,
    rng: np.random.Generator,
) -> Outcome:
    labels = model.info.labels
    taught = _drawn(clips, [*takes], lesson, rng)
    said = {clips[at].statement for at in taught} if lesson.apart else set()
    tested = [
        at
        for at in takes
        if at not in taught and len(frames[at]) and clips[at].statement not in said
    ]
    network, baseline = model, RunningBaseline.of(model)
    if taught and lesson.unlabelled:
        assert baseline is not None
        end = 0.0
        for at in taught:
            start, end = end, end + takes[at].seconds
            baseline.hear(model.judge(frames[at], baseline.before(start)), start, end)
    elif taught:
        given = [_mislabelled(takes[at], takes, lesson, rng) for at in taught]
        network = TaughtModel(model, Teaching(model, given))
        baseline = RunningBaseline.of(network)
    known = baseline.before(np.inf) if baseline else None
    judged = np.array([network.judge(frames[at], known).probabilities for at in tested])
    right = np.array([labels.index(_emotion(clips[at])) for at in tested], np.intp)
    return Outcome(right, judged.argmax(axis=1), judged.max(axis=1).astype(np.float64))


def _drawn(
    clips: Sequence[Clip], usable: Sequence[int], lesson: Lesson, rng: np.random.Generator
) -> list[int]:
    """Clips that are taught: so many of each emotion, some left to be judged."""
    emotions = sorted({_emotion(clips[at]) for at in usable})
    if lesson.emotions:
        emotions = [str(one) for one in rng.permutation(emotions)[: lesson.emotions]]
    sentences = sorted({str(clips[at].statement) for at in usable})
    first = set(rng.permutation(sentences)[: len(sentences) // 2].tolist())
    drawn: list[int] = []
    for emotion in emotions:
        mine = [at for at in usable if _emotion(clips[at]) == emotion]
        if lesson.apart:
            mine = [at for at in mine if str(clips[at].statement) in first]
        drawn += rng.permutation(mine)[: min(lesson.takes, max(0, len(mine) - 1))].tolist()
    return [int(at) for at in rng.permutation(drawn)] if lesson.takes else []


def _mislabelled(
    take: Take, takes: dict[int, Take], lesson: Lesson, rng: np.random.Generator
) -> Take:
    if rng.random() >= lesson.wrong:
        return take
    others = sorted({one.emotion for one in takes.values()} - {take.emotion})
    wrong = str(rng.choice(others))
    return Take(wrong, take.seconds, take.logits, take.voice, take.embedding)


def _emotion(clip: Clip) -> str:
    return SAME.get(clip.emotion, clip.emotion)
