"""The parts of an evaluation: what each measures of a model on recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from training.corpora.readers import Clip
from training.evaluation import enrolment, judged, stream
from training.evaluation import sessions as strung
from training.evaluation import teaching as lessons
from training.evaluation.conditions import (
    RATES,
    SECONDS,
    SNR_DB,
    as_recorded,
    at_rate,
    for_seconds,
    kin_of,
    noisy,
)
from training.evaluation.judge import Condition, Judge
from training.evaluation.recordings import Recordings
from training.evaluation.results import PARTS, Result

CLIPS = (5, 10, 40)
"""That make a recording."""

_PAUSES = f"{strung.PAUSE[0]:g} to {strung.PAUSE[1]:g} s of room noise between them"


@dataclass(frozen=True)
class Options:
    """What the parts need to know beside model and recordings.

    Attributes:
        data: folder that holds ``noise/esc10``.
        seed: of everything random.
        minutes: of noise, of music and of silence.
    """

    data: Path
    seed: int
    minutes: float


def clips(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """Every clip, judged as ``live-ser file`` judges it."""
    said = judge.clips(recordings.clips, as_recorded, f"{recordings.name}: clips")
    return {
        "protocol": recordings.protocol,
        "labels": judge.info.labels,
        "figures": judged.figures(said),
        "verdicts": [
            {
                "clip": clip.id,
                "truth": said.labels[right],
                "state": verdict.state,
                "label": verdict.label,
                "probabilities": verdict.probabilities,
                "activation": verdict.activation,
            }
            for clip, verdict, right in zip(said.clips, said.verdicts, said.truth, strict=True)
        ],
    }


def noise(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """The clips in ever louder noise."""
    in_noise = partial(noisy, data=options.data, seed=options.seed)
    conditions: list[tuple[str, Condition]] = [
        ("clean", as_recorded),
        *((f"{snr} dB", partial(in_noise, snr_db=snr)) for snr in SNR_DB),
    ]
    how = (
        "noise at a ratio to the clip's mean power, of ESC-10 (of which training clips had some "
        "too) or white to brown"
    )
    return _curve(judge, recordings, conditions, how)


def band(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """The clips as files of other rates."""
    conditions: list[tuple[str, Condition]] = [
        (f"{rate / 1000:g} kHz", partial(at_rate, rate=rate)) for rate in RATES
    ]
    return _curve(judge, recordings, conditions, "each clip resampled into a file of that rate")


def evidence(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """The clips, until so much speech was heard."""
    kin = kin_of(recordings.clips)
    conditions: list[tuple[str, Condition]] = [
        (f"{seconds:g} s", partial(for_seconds, seconds=seconds, kin=kin)) for seconds in SECONDS
    ]
    how = (
        "each clip cut where so much speech was heard; a short one goes on with the speaker's "
        "next of the same emotion"
    )
    return _curve(judge, recordings, conditions, how)


def baseline(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """The clips, measured against so much of their speaker's other speech."""
    how = "at most a window of each clip, measured against other clips of its speaker"
    rows: list[dict[str, Any]] = []
    if judge.info.baseline:
        what = f"{recordings.name}: baselines"
        found = enrolment.measure(
            judge, recordings.clips, enrolment.KNOWN, seed=options.seed, what=what
        )
        rows = [{"condition": name, **judged.summary(said)} for name, said in found.items()]
    return {"protocol": f"{recordings.protocol}; {how}", "figures": {"baselines": rows}}


def teaching(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """The clips of each speaker, after some of the others were taught."""
    rows: list[dict[str, Any]] = []
    if judge.info.baseline:
        what = f"{recordings.name}: teaching"
        rows = lessons.measure(
            judge, recordings.clips, data=options.data, seed=options.seed, what=what
        )
    how = (
        f"takes of each emotion drawn {lessons.DRAWS} times of each speaker's clips, the others "
        "judged; mean over speakers"
    )
    return {"protocol": f"{recordings.protocol}; {how}", "figures": {"lessons": rows}}


def recording(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """The clips as utterances of ever longer recordings of their speaker."""
    alone = judge.clips(recordings.clips, as_recorded, f"{recordings.name}: clips")
    rows = [{"condition": "1 clip", **judged.summary(alone)}]
    for name, groups in _strings(recordings.clips, options.seed).items():
        one = partial(strung.verdicts, seed=options.seed)
        found = judge.map(one, groups, f"{recordings.name}: recordings of {name}")
        verdicts = {clip: verdict for each in found for clip, verdict in each.items()}
        said = replace(alone, verdicts=tuple(verdicts[clip.id] for clip in alone.clips))
        rows.append({"condition": name, **judged.summary(said)})
    how = (
        "so many of a speaker's clips in random order make a recording, judged as live-ser file "
        f"judges it; {_PAUSES}"
    )
    return {"protocol": f"{recordings.protocol}; {how}", "figures": {"curve": rows}}


def _strings(clips: Sequence[Clip], seed: int) -> dict[str, list[list[Clip]]]:
    """Which clips make a recording together, by what recordings are made of."""
    moods = [
        [clip for clip in mine if clip.emotion == emotion]
        for mine in strung.by_speaker(clips)
        for emotion in sorted({clip.emotion for clip in mine})
    ]
    return {
        **{f"{n} clips": _groups(strung.by_speaker(clips), n, seed) for n in CLIPS},
        f"{CLIPS[0]} of one emotion": _groups(moods, CLIPS[0], seed),
    }


def _groups(shelves: Sequence[Sequence[Clip]], count: int, seed: int) -> list[list[Clip]]:
    """The clips of each shelf in random order, so many together, or a few more."""
    rng = np.random.default_rng(seed)
    groups: list[list[Clip]] = []
    for shelf in shelves:
        parts = np.array_split(rng.permutation(len(shelf)), max(1, len(shelf) // count))
        groups += [[shelf[i] for i in part] for part in parts]
    return groups


def live(judge: Judge, recordings: Recordings, options: Options) -> Result:
    """The clips of each speaker strung together and played through the live path."""
    speakers = strung.by_speaker(recordings.clips)
    listen = partial(stream.listen, seed=options.seed)
    sessions = judge.map(listen, speakers, f"{recordings.name}: stream")
    alone = judge.clips(recordings.clips, as_recorded, f"{recordings.name}: clips")
    figures = stream.figures(sessions, judge.info)
    clip_uar = judged.summary(alone)["uar"]
    lost = None if figures["uar"] is None else clip_uar - figures["uar"]
    return {
        "protocol": f"{recordings.protocol}; each speaker's clips in random order, {_PAUSES}",
        "figures": {**figures, "clip_uar": clip_uar, "uar_lost": lost},
    }


def false_emotions(judge: Judge, options: Options) -> Result:
    """Emotions shown although nobody speaks."""
    kinds = tuple(stream.NO_SPEECH)
    count = partial(
        stream.false_emotions, minutes=options.minutes, data=options.data, seed=options.seed
    )
    found = judge.map(count, kinds, "nobody speaks")
    by_kind = {kind: windows / options.minutes for kind, windows in zip(kinds, found, strict=True)}
    return {
        "protocol": f"{options.minutes:g} minutes each of ESC-10 (of which training clips had some "
        "too), synthesised music and silence, through the live path; windows in state speech",
        "figures": {"a_minute": sum(found) / options.minutes / len(kinds), "by_kind": by_kind},
    }


_MEASURES = (clips, noise, band, evidence, baseline, teaching, recording, live)

MEASURES: Mapping[str, Callable[[Judge, Recordings, Options], Result]] = dict(
    zip(PARTS, _MEASURES, strict=True)
)


def _curve(
    judge: Judge, recordings: Recordings, conditions: Iterable[tuple[str, Condition]], how: str
) -> Result:
    rows: list[dict[str, Any]] = []
    for name, condition in conditions:
        said = judge.clips(recordings.clips, condition, f"{recordings.name}: {name}")
        rows.append({"condition": name, **judged.summary(said)})
    return {"protocol": f"{recordings.protocol}; {how}", "figures": {"curve": rows}}
