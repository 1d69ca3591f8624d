"""The parts of an evaluation, and what each measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from training.corpora.clips import Clip
from training.evaluation import baselines, sessions, stream, teaching
from training.evaluation.conditions import (
    RATES,
    SECONDS,
    SNR_DB,
    as_recorded,
    at_rate,
    followers_of,
    for_seconds,
    noisy,
)
from training.evaluation.figures import (
    BaselineFigures,
    ClipFigures,
    ConditionSummary,
    CurveFigures,
    FalseEmotionFigures,
    Figures,
    LessonFigures,
    NoiseFigures,
    StreamFigures,
    TeachingFigures,
)
from training.evaluation.model_pool import Condition, ModelPool
from training.evaluation.predictions import clip_figures, condition_summary, summary
from training.evaluation.recordings import Recordings
from training.evaluation.results import PARTS, ClipVerdict, Measurement

F = TypeVar("F", bound=Figures)

CLIPS = (5, 10, 40)
"""Numbers of clips that make a recording."""

_PAUSES = f"{sessions.PAUSE[0]:g} to {sessions.PAUSE[1]:g} s of room noise between them"


@dataclass(frozen=True)
class Options:
    """Options of the parts.

    Attributes:
        data: folder with ``noise/esc10``.
        seed: seed of everything random.
        minutes: minutes of noise, of music and of silence.
    """

    data: Path
    seed: int
    minutes: float


def measure_clips(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[ClipFigures]:
    """Predict every clip as ``live-ser file`` does."""
    predictions = pool.predict(recordings.clips, as_recorded, f"{recordings.name}: clips")
    rows = zip(predictions.clips, predictions.verdicts, predictions.targets, strict=True)
    return Measurement(
        protocol=recordings.protocol,
        labels=pool.info.labels,
        figures=clip_figures(predictions),
        verdicts=tuple(
            ClipVerdict(
                clip=clip.id,
                target=predictions.labels[target],
                state=verdict.state,
                label=verdict.label,
                probabilities=dict(verdict.probabilities) if verdict.probabilities else None,
                activation=verdict.activation,
            )
            for clip, verdict, target in rows
        ),
    )


def measure_noise(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[NoiseFigures]:
    """Predict the clips in noise at several levels."""
    in_noise = partial(noisy, data=options.data, seed=options.seed)
    conditions: list[tuple[str, Condition]] = [
        ("clean", as_recorded),
        *((f"{snr} dB", partial(in_noise, snr_db=snr)) for snr in SNR_DB),
    ]
    how = (
        "noise at a ratio to the clip's mean power, of ESC-10 (of which training clips had some "
        "too) or white to brown"
    )
    return _measured(recordings, how, NoiseFigures(_curve(pool, recordings, conditions)))


def measure_rates(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[CurveFigures]:
    """Predict the clips as files with other sample rates."""
    conditions: list[tuple[str, Condition]] = [
        (f"{rate / 1000:g} kHz", partial(at_rate, rate=rate)) for rate in RATES
    ]
    how = "each clip resampled into a file of that rate"
    return _measured(recordings, how, CurveFigures(_curve(pool, recordings, conditions)))


def measure_evidence(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[CurveFigures]:
    """Predict the clips, cut after several amounts of speech."""
    followers = followers_of(recordings.clips)
    conditions: list[tuple[str, Condition]] = [
        (f"{seconds:g} s", partial(for_seconds, seconds=seconds, followers=followers))
        for seconds in SECONDS
    ]
    how = (
        "each clip cut after so much speech; a short one continues with the speaker's next clip of "
        "the same emotion"
    )
    return _measured(recordings, how, CurveFigures(_curve(pool, recordings, conditions)))


def measure_baselines(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[BaselineFigures]:
    """Predict the clips against several amounts of their speaker's other speech."""
    rows: tuple[ConditionSummary, ...] = ()
    if pool.info.baseline:
        by_prior = baselines.predict_with_baselines(
            pool,
            recordings.clips,
            baselines.PRIOR_SPEECH,
            seed=options.seed,
            description=f"{recordings.name}: baselines",
        )
        rows = tuple(condition_summary(name, one) for name, one in by_prior.items())
    how = "at most a window of each clip, compared with other clips of its speaker"
    return _measured(recordings, how, BaselineFigures(rows))


def measure_teaching(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[TeachingFigures]:
    """Predict the clips of each speaker after teaching with some of the others."""
    rows: tuple[LessonFigures, ...] = ()
    if pool.info.baseline:
        rows = teaching.teach(
            pool,
            recordings.clips,
            data=options.data,
            seed=options.seed,
            description=f"{recordings.name}: teaching",
        )
    how = (
        f"takes of each emotion drawn {teaching.DRAWS} times from each speaker's clips, the "
        "others predicted; mean over speakers"
    )
    return _measured(recordings, how, TeachingFigures(rows))


def measure_recordings(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[CurveFigures]:
    """Predict the clips as utterances of recordings of several lengths."""
    alone = pool.predict(recordings.clips, as_recorded, f"{recordings.name}: clips")
    rows = [condition_summary("1 clip", alone)]
    for name, groups in _sessions(recordings.clips, options.seed).items():
        one = partial(sessions.predict_session, seed=options.seed)
        by_session = pool.map(one, groups, f"{recordings.name}: recordings of {name}")
        verdicts = {clip: verdict for each in by_session for clip, verdict in each.items()}
        together = replace(alone, verdicts=tuple(verdicts[clip.id] for clip in alone.clips))
        rows.append(condition_summary(name, together))
    how = (
        "so many of a speaker's clips in random order make a recording, predicted as by live-ser "
        f"file; {_PAUSES}"
    )
    return _measured(recordings, how, CurveFigures(tuple(rows)))


def _sessions(clips: Sequence[Clip], seed: int) -> dict[str, list[list[Clip]]]:
    """The clips of each recording, by the name of the condition."""
    by_emotion = [
        [clip for clip in own if clip.emotion == emotion]
        for own in sessions.by_speaker(clips)
        for emotion in sorted({clip.emotion for clip in own})
    ]
    return {
        **{f"{n} clips": _groups(sessions.by_speaker(clips), n, seed) for n in CLIPS},
        f"{CLIPS[0]} of one emotion": _groups(by_emotion, CLIPS[0], seed),
    }


def _groups(sets: Sequence[Sequence[Clip]], count: int, seed: int) -> list[list[Clip]]:
    """Split the clips of each set, in random order, into groups of ``count`` or a few more."""
    rng = np.random.default_rng(seed)
    groups: list[list[Clip]] = []
    for clips in sets:
        indices = np.array_split(rng.permutation(len(clips)), max(1, len(clips) // count))
        groups += [[clips[i] for i in group] for group in indices]
    return groups


def measure_stream(
    pool: ModelPool, recordings: Recordings, options: Options
) -> Measurement[StreamFigures]:
    """Play the clips of each speaker, concatenated, through the live path."""
    speakers = sessions.by_speaker(recordings.clips)
    one = partial(stream.replay_session, seed=options.seed)
    replays = pool.map(one, speakers, f"{recordings.name}: stream")
    alone = pool.predict(recordings.clips, as_recorded, f"{recordings.name}: clips")
    figures = stream.stream_figures(replays, pool.info, summary(alone).uar)
    return _measured(recordings, f"each speaker's clips in random order, {_PAUSES}", figures)


def measure_false_emotions(pool: ModelPool, options: Options) -> Measurement[FalseEmotionFigures]:
    """Count windows in which an emotion is shown although nobody speaks."""
    kinds = tuple(stream.NO_SPEECH)
    count = partial(
        stream.false_emotions, minutes=options.minutes, data=options.data, seed=options.seed
    )
    windows = pool.map(count, kinds, "nobody speaks")
    return Measurement(
        protocol=f"{options.minutes:g} minutes each of ESC-10 (of which training clips had some "
        "too), synthesised music and silence, through the live path; windows in state speech",
        figures=FalseEmotionFigures(
            per_minute=sum(windows) / options.minutes / len(kinds),
            by_kind={
                kind: number / options.minutes for kind, number in zip(kinds, windows, strict=True)
            },
        ),
    )


_MEASURES = (
    measure_clips,
    measure_noise,
    measure_rates,
    measure_evidence,
    measure_baselines,
    measure_teaching,
    measure_recordings,
    measure_stream,
)

MEASURES: Mapping[str, Callable[[ModelPool, Recordings, Options], Measurement[Figures]]] = dict(
    zip(PARTS, _MEASURES, strict=True)
)


def _curve(
    pool: ModelPool, recordings: Recordings, conditions: Iterable[tuple[str, Condition]]
) -> tuple[ConditionSummary, ...]:
    return tuple(
        condition_summary(
            name, pool.predict(recordings.clips, condition, f"{recordings.name}: {name}")
        )
        for name, condition in conditions
    )


def _measured(recordings: Recordings, how: str, figures: F) -> Measurement[F]:
    return Measurement(protocol=f"{recordings.protocol}; {how}", figures=figures)
