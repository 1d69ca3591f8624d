"""Predictions after teaching with some clips of a speaker, on the others."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline
from live_ser.model.take import Take
from live_ser.model.taught import TaughtModel, Teaching
from training.corpora.clips import Clip
from training.corpora.emotions import MERGED
from training.evaluation import metrics
from training.evaluation.baselines import spoken_frames
from training.evaluation.conditions import degraded, noisy
from training.evaluation.figures import LessonFigures
from training.evaluation.model_pool import ModelPool
from training.evaluation.sessions import by_speaker

DRAWS = 3
"""Number of times that takes are drawn from each speaker."""

Condition = Literal["as recorded", "noisy", "degraded"]

_WRONG = 0.1  # share of labels that are wrong
_NOISE_DB = 10.0


@dataclass(frozen=True)
class Lesson:
    """The takes that a speaker teaches before the speaker's other clips are predicted.

    Attributes:
        name: name of the condition.
        takes: number of takes of each emotion; 0 teaches nothing.
        emotions: number of emotions that are taught; 0 for all.
        wrong: share of the takes with a wrong label.
        apart: whether the clips that are predicted have other sentences.
        condition: condition of the clips that are predicted: as recorded, in noise, or degraded as
            in training (room, noise, telephone, level).
        unlabelled: whether the takes are only part of the baseline.
    """

    name: str
    takes: int
    emotions: int = 0
    wrong: float = 0.0
    apart: bool = False
    condition: Condition = "as recorded"
    unlabelled: bool = False


LESSONS = (
    *(Lesson(f"{k} takes", k) for k in (0, 1, 2, 3, 5, 10)),
    Lesson("3 takes, other sentences predicted", 3, apart=True),
    Lesson("3 takes of two emotions", 3, emotions=2),
    Lesson("3 takes of three emotions", 3, emotions=3),
    Lesson("3 takes, one label in ten wrong", 3, wrong=_WRONG),
    Lesson("nothing taught, in noise at 10 dB", 0, condition="noisy"),
    Lesson("3 takes, in noise at 10 dB", 3, condition="noisy"),
    Lesson("nothing taught, degraded", 0, condition="degraded"),
    Lesson("3 takes, degraded", 3, condition="degraded"),
    Lesson("21 takes in the baseline, nothing taught", 3, unlabelled=True),
)


@dataclass(frozen=True)
class Outcome:
    """Predictions of a speaker's clips after a lesson.

    Attributes:
        targets: index of the right label, ``[n]``.
        predicted: index of the most probable label, ``[n]``.
        confidence: its probability, ``[n]``.
    """

    targets: NDArray[np.intp]
    predicted: NDArray[np.intp]
    confidence: NDArray[np.float64]

    def uar(self, classes: int) -> float:
        """Unweighted average recall of the emotions that there are."""
        return metrics.uar(self.targets, self.predicted, classes)


def teach(
    pool: ModelPool, clips: Sequence[Clip], *, data: Path, seed: int, description: str
) -> tuple[LessonFigures, ...]:
    """Figures for each lesson.

    Args:
        pool: pool of a model that can be taught.
        clips: clips of corpora that did not train the model.
        data: folder that holds ``noise/esc10``.
        seed: seed of what is drawn.
        description: description of the progress bar.
    """
    speakers = by_speaker(clips)
    # By speaker, draw and lesson.
    outcomes = pool.map(partial(teach_speaker, data=data, seed=seed), speakers, description)
    untaught = {one.condition: at for at, one in reversed([*enumerate(LESSONS)]) if not one.takes}
    return tuple(
        _figures(
            lesson.name,
            [[draw[at] for draw in speaker] for speaker in outcomes],
            [[draw[untaught[lesson.condition]] for draw in speaker] for speaker in outcomes],
            len(pool.info.labels),
        )
        for at, lesson in enumerate(LESSONS)
    )


def _figures(
    lesson: str,
    taught: Sequence[Sequence[Outcome]],
    untaught: Sequence[Sequence[Outcome]],
    classes: int,
) -> LessonFigures:
    """Figures of a lesson, from the outcomes of each speaker with and without it."""
    after, before = (
        np.array([np.mean([one.uar(classes) for one in draws]) for draws in speakers])
        for speakers in (taught, untaught)
    )
    targets, predicted, confidence = (
        np.concatenate([getattr(one, name) for draws in taught for one in draws])
        for name in ("targets", "predicted", "confidence")
    )
    return LessonFigures(
        condition=lesson,
        uar=float(np.mean(after)),
        worst=float(np.min(after)),
        ece=metrics.calibration_error(confidence, targets == predicted),
        not_worse=float(np.mean(after >= before)),
        speakers=len(taught),
        clips=len(targets),
    )


def teach_speaker(
    model: EmotionModel, clips: Sequence[Clip], *, data: Path, seed: int
) -> list[list[Outcome]]:
    """The outcomes ``[draw][lesson]`` of one speaker; see :func:`teach`."""
    clean = [spoken_frames(clip, model.info) for clip in clips]
    conditions = {
        "noisy": partial(noisy, info=model.info, snr_db=_NOISE_DB, data=data, seed=seed),
        "degraded": partial(degraded, info=model.info, data=data, seed=seed),
    }
    frames = {"as recorded": clean} | {
        name: [spoken_frames(clip, model.info, np.concatenate([*spoil(clip)])) for clip in clips]
        for name, spoil in conditions.items()
    }
    rate = model.info.features.sample_rate / model.info.features.hop_length
    takes = {
        at: Take.of([model.predict(frames)], [len(frames) / rate], _emotion(clips[at]))
        for at, frames in enumerate(clean)
        if len(frames)
    }
    speaker = zlib.crc32(clips[0].speaker.encode())
    return [
        [
            _outcome(model, clips, frames[lesson.condition], takes, lesson=lesson, rng=rng)
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
    statements = {clips[at].statement for at in taught} if lesson.apart else set()
    tested = [
        at
        for at in takes
        if at not in taught and len(frames[at]) and clips[at].statement not in statements
    ]
    network, baseline = model, RunningBaseline.of(model)
    if taught and lesson.unlabelled:
        assert baseline is not None
        end = 0.0
        for at in taught:
            start, end = end, end + takes[at].seconds
            baseline.update(model.predict(frames[at], baseline.before(start)), start, end)
    elif taught:
        given = [_mislabelled(takes[at], takes, lesson, rng) for at in taught]
        network = TaughtModel(model, Teaching(model, given))
        baseline = RunningBaseline.of(network)
    known = baseline.before(np.inf) if baseline else None
    probabilities = np.array([network.predict(frames[at], known).probabilities for at in tested])
    targets = np.array([labels.index(_emotion(clips[at])) for at in tested], np.intp)
    confidence = probabilities.max(axis=1).astype(np.float64)
    return Outcome(targets, probabilities.argmax(axis=1), confidence)


def _drawn(
    clips: Sequence[Clip], usable: Sequence[int], lesson: Lesson, rng: np.random.Generator
) -> list[int]:
    """Indices of clips to teach, a number of each emotion; at least one of each is left."""
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
    return MERGED.get(clip.emotion, clip.emotion)
