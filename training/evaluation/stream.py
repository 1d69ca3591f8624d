"""Sessions as they happen: clips strung together with a room's noise between them, heard live.

The string is written to a file and replayed through the live path, as ``live-ser listen --from FILE
--speed 0`` does it.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import replay
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction, State
from live_ser.model.onnx_model import EmotionModel
from live_ser.spec import ModelInfo
from training.corpora.labels import right_labels
from training.corpora.readers import Clip
from training.data.music import music
from training.evaluation import metrics
from training.evaluation.conditions import esc10
from training.evaluation.sessions import NOBODY, String, at_level, generator, hush, most, string


@dataclass(frozen=True)
class Moment:
    """One window of a string: what was shown, and what was true.

    Attributes:
        end: seconds from the start of the string.
        state: as the monitor gave it.
        label: that was shown.
        spoken: seconds of speech of the clips in the window.
        clip: index of the one that most of that speech is of; None without speech.
        speaking: index of the one that is being spoken where the window ends, if any is.
    """

    end: float
    state: State
    label: str | None
    spoken: float
    clip: int | None
    speaking: int | None


@dataclass(frozen=True)
class Session:
    """A string as it was heard."""

    clips: tuple[Clip, ...]
    onsets: tuple[float, ...]
    moments: tuple[Moment, ...]


def listen(model: EmotionModel, clips: Sequence[Clip], *, seed: int) -> Session:
    """String one speaker's clips together and monitor what comes of it."""
    strung = string(clips, model.info, generator(clips, seed))
    moments = tuple(_moment(window, strung) for window in monitor(model, strung.samples))
    onsets = tuple(
        float(np.flatnonzero(strung.speaker == index)[0]) * CHUNK_SECONDS
        for index in range(len(strung.clips))
    )
    return Session(strung.clips, onsets, moments)


def monitor(model: EmotionModel, samples: Samples) -> Iterator[Prediction]:
    """Sound as a file, through the live path."""
    rate = model.info.features.sample_rate
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stream.wav")
        soundfile.write(path, samples, rate, subtype="FLOAT")
        with replay(path, rate, speed=0) as blocks:
            yield from Monitor(model, blocks)


def figures(sessions: Sequence[Session], info: ModelInfo) -> dict[str, Any]:
    """How good what is shown is, window by window.

    ``uar`` is over the windows that show a label; the truth is the emotion of most of the speech
    in a window. ``shown_uar`` is over all windows that end while somebody speaks, the first moment
    included, and nothing shown is wrong; the truth is what is spoken just then.
    """
    heard = [_truths(session, info.labels) for session in sessions]
    held = np.array([pair for one in heard for pair in one.held], np.intp).reshape(-1, 2)
    shown = np.array([pair for one in heard for pair in one.shown], np.intp).reshape(-1, 2)
    seconds = [time for one in heard for time in one.seconds]
    right = [time for time in seconds if time is not None]
    due = [
        moment.state
        for session in sessions
        for moment in session.moments
        if moment.speaking is not None and moment.spoken >= info.gate.enough(over=False)
    ]
    classes = len(info.labels)
    return {
        "windows": len(held),
        "uar": metrics.uar(held[:, 0], held[:, 1], classes) if len(held) else None,
        "accuracy": metrics.accuracy(held[:, 0], held[:, 1]) if len(held) else None,
        "shown_windows": len(shown),
        "shown_uar": metrics.uar(shown[:, 0], shown[:, 1], classes) if len(shown) else None,
        "judged_of_speech": float(np.mean([state in ("speech", "uncertain") for state in due]))
        if due
        else None,
        "uncertain_of_speech": float(np.mean([state == "uncertain" for state in due]))
        if due
        else None,
        "utterances": len(seconds),
        "ever_right": len(right) / len(seconds),
        "seconds_until_right": dict(
            zip(("median", "p90"), map(float, np.quantile(right, [0.5, 0.9])), strict=True)
        )
        if right
        else None,
    }


Sounds = Callable[[float, int, Path, np.random.Generator], Samples]


def false_emotions(model: EmotionModel, kind: str, *, minutes: float, data: Path, seed: int) -> int:
    """Windows in which an emotion is shown although nobody speaks.

    Args:
        model: that listens.
        kind: one of :data:`NO_SPEECH`.
        minutes: that it listens.
        data: folder that holds ``noise/esc10``.
        seed: of what is random in the sound.
    """
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    samples = NO_SPEECH[kind](60 * minutes, model.info.features.sample_rate, data, rng)
    return sum(window.state == "speech" for window in monitor(model, samples))


def _noise(seconds: float, rate: int, data: Path, rng: np.random.Generator) -> Samples:
    """Clips of ESC-10 at a moderate level, each as often as the others."""
    noises = esc10(data, rate)
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * rate:
        for index in rng.permutation(len(noises)):
            parts.append(at_level(noises[index], -25.0))
    return np.concatenate(parts)[: round(seconds * rate)]


def _music(seconds: float, rate: int, data: Path, rng: np.random.Generator) -> Samples:
    return music(seconds, rate, rng)


def _silence(seconds: float, rate: int, data: Path, rng: np.random.Generator) -> Samples:
    """Digital silence, then a quiet room."""
    half = round(seconds * rate / 2)
    return np.concatenate([np.zeros(half, np.float32), hush(half, -60.0, rng)])


NO_SPEECH: Mapping[str, Sounds] = {"noise": _noise, "music": _music, "silence": _silence}


@dataclass(frozen=True)
class _Truths:
    """Pairs of what is true and what was shown, and the seconds until each clip was right."""

    held: list[tuple[int, int]]
    shown: list[tuple[int, int]]
    seconds: list[float | None]


def _truths(session: Session, labels: Sequence[str]) -> _Truths:
    right = right_labels(session.clips, labels)
    place = {label: index for index, label in enumerate((*labels, None))}
    held, shown = [], []
    seconds: list[float | None] = [None] * len(session.clips)
    for moment in session.moments:
        said = place[moment.label]
        if moment.clip is not None and moment.label is not None:
            held.append((int(right[moment.clip]), said))
            is_right = moment.state == "speech" and said == right[moment.clip]
            if is_right and seconds[moment.clip] is None:
                seconds[moment.clip] = moment.end - session.onsets[moment.clip]
        if moment.speaking is not None:
            shown.append((int(right[moment.speaking]), said))
    return _Truths(held, shown, seconds)


def _moment(window: Prediction, strung: String) -> Moment:
    first = int(np.ceil(window.start / CHUNK_SECONDS - 1e-9))
    stop = int(window.end / CHUNK_SECONDS + 1e-9)
    spoken = strung.spoken(first, stop)
    return Moment(
        end=window.end,
        state=window.state,
        label=window.label,
        spoken=len(spoken) * CHUNK_SECONDS,
        clip=most(spoken),
        speaking=_speaking(strung.speaker, stop),
    )


def _speaking(speaker: NDArray[np.intp], stop: int) -> int | None:
    """Who has begun by then and not ended: a pause within a clip is no end of it."""
    before, after = speaker[:stop], speaker[stop:]
    last = before[before != NOBODY][-1:]
    following = after[after != NOBODY][:1]
    return int(last[0]) if len(last) and len(following) and last[0] == following[0] else None
