"""Sessions through the live path, window by window.

A session is written to a file and replayed, as ``live-ser listen --from FILE --speed 0`` does it.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
from training.corpora.clips import Clip
from training.corpora.labels import targets
from training.data.music import music
from training.evaluation import metrics
from training.evaluation.conditions import esc10
from training.evaluation.figures import StreamFigures
from training.evaluation.sessions import (
    NO_CLIP,
    Session,
    at_level,
    concatenate,
    generator,
    most_frequent,
    room_tone,
)


@dataclass(frozen=True)
class Window:
    """One window of a session: what was shown, and the clips in it.

    Attributes:
        end: seconds from the start of the session.
        state: state of the prediction.
        label: label of the prediction; None without one.
        speech: seconds of speech of the clips in the window.
        clip: index of the clip with most of that speech; None without speech.
        speaking: index of the clip that is being spoken at the end of the window; None if none is.
    """

    end: float
    state: State
    label: str | None
    speech: float
    clip: int | None
    speaking: int | None


@dataclass(frozen=True)
class Replay:
    """A session and its predictions.

    Attributes:
        clips: the clips in their order.
        onsets: start of the speech of each clip in seconds.
        windows: the windows that were shown.
    """

    clips: tuple[Clip, ...]
    onsets: tuple[float, ...]
    windows: tuple[Window, ...]


def replay_session(model: EmotionModel, clips: Sequence[Clip], *, seed: int) -> Replay:
    """Concatenate the clips of one speaker, and monitor the session.

    Args:
        model: the model.
        clips: clips of one speaker.
        seed: seed of their order and of the room.
    """
    session = concatenate(clips, model.info, generator(clips, seed))
    windows = tuple(_window(shown, session) for shown in monitor(model, session.samples))
    onsets = tuple(
        float(np.flatnonzero(session.clip_at == index)[0]) * CHUNK_SECONDS
        for index in range(len(session.clips))
    )
    return Replay(session.clips, onsets, windows)


def monitor(model: EmotionModel, samples: Samples) -> Iterator[Prediction]:
    """Monitor samples, float32 ``[n]`` at the model's rate, as the replay of a file."""
    rate = model.info.features.sample_rate
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stream.wav")
        soundfile.write(path, samples, rate, subtype="FLOAT")
        with replay(path, rate, speed=0) as blocks:
            yield from Monitor(model, blocks)


def stream_figures(replays: Sequence[Replay], info: ModelInfo, clip_uar: float) -> StreamFigures:
    """The figures of the windows that were shown; see :class:`StreamFigures`.

    Args:
        replays: replays of the sessions.
        info: metadata of the model.
        clip_uar: UAR of the same clips, each on its own.
    """
    pairs = [_pairs(one, info.labels) for one in replays]
    labelled = np.array([pair for one in pairs for pair in one.labelled], np.intp).reshape(-1, 2)
    shown = np.array([pair for one in pairs for pair in one.shown], np.intp).reshape(-1, 2)
    seconds = [time for one in pairs for time in one.seconds]
    right = [time for time in seconds if time is not None]
    states = [
        window.state
        for one in replays
        for window in one.windows
        if window.speaking is not None and window.speech >= info.gate.enough(over=False)
    ]
    uar = _uar(labelled, info.labels)
    return StreamFigures(
        windows=len(labelled),
        uar=uar,
        accuracy=metrics.accuracy(labelled[:, 0], labelled[:, 1]) if len(labelled) else None,
        shown_windows=len(shown),
        shown_uar=_uar(shown, info.labels),
        predicted_of_speech=_share(states, "speech", "uncertain"),
        uncertain_of_speech=_share(states, "uncertain"),
        utterances=len(seconds),
        ever_right=len(right) / len(seconds),
        seconds_until_right={
            "median": float(np.quantile(right, 0.5)),
            "p90": float(np.quantile(right, 0.9)),
        }
        if right
        else None,
        clip_uar=clip_uar,
        uar_lost=None if uar is None else clip_uar - uar,
    )


def _uar(pairs: NDArray[np.intp], labels: Sequence[str]) -> float | None:
    return metrics.uar(pairs[:, 0], pairs[:, 1], len(labels)) if len(pairs) else None


def _share(states: Sequence[State], *wanted: State) -> float | None:
    return float(np.mean([state in wanted for state in states])) if states else None


Sounds = Callable[[float, int, Path, np.random.Generator], Samples]


def false_emotions(model: EmotionModel, kind: str, *, minutes: float, data: Path, seed: int) -> int:
    """Count windows in which an emotion is shown although nobody speaks.

    Args:
        model: the model.
        kind: one of :data:`NO_SPEECH`.
        minutes: minutes of sound.
        data: folder that holds ``noise/esc10``.
        seed: seed of what is random in the sound.
    """
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    samples = NO_SPEECH[kind](60 * minutes, model.info.features.sample_rate, data, rng)
    return sum(window.state == "speech" for window in monitor(model, samples))


def _noise(seconds: float, rate: int, data: Path, rng: np.random.Generator) -> Samples:
    """Clips of ESC-10 at a moderate level, each as often as the others."""
    noises = esc10(data, rate)
    pieces: list[Samples] = []
    while sum(map(len, pieces)) < seconds * rate:
        for index in rng.permutation(len(noises)):
            pieces.append(at_level(noises[index], -25.0))
    return np.concatenate(pieces)[: round(seconds * rate)]


def _music(seconds: float, rate: int, data: Path, rng: np.random.Generator) -> Samples:
    return music(seconds, rate, rng)


def _silence(seconds: float, rate: int, data: Path, rng: np.random.Generator) -> Samples:
    """Digital silence, then a quiet room."""
    half = round(seconds * rate / 2)
    return np.concatenate([np.zeros(half, np.float32), room_tone(half, -60.0, rng)])


NO_SPEECH: Mapping[str, Sounds] = {"noise": _noise, "music": _music, "silence": _silence}


@dataclass(frozen=True)
class _Pairs:
    """Targets and labels, as indices, and the seconds until each clip's label was right.

    Attributes:
        labelled: pairs of the windows with a label.
        shown: pairs of the windows that end while somebody speaks.
        seconds: from the clip's onset; None where its label was never right.
    """

    labelled: list[tuple[int, int]]
    shown: list[tuple[int, int]]
    seconds: list[float | None]


def _pairs(one: Replay, labels: Sequence[str]) -> _Pairs:
    target = targets(one.clips, labels)
    place = {label: index for index, label in enumerate((*labels, None))}
    labelled, shown = [], []
    seconds: list[float | None] = [None] * len(one.clips)
    for window in one.windows:
        label = place[window.label]
        if window.clip is not None and window.label is not None:
            labelled.append((int(target[window.clip]), label))
            is_right = window.state == "speech" and label == target[window.clip]
            if is_right and seconds[window.clip] is None:
                seconds[window.clip] = window.end - one.onsets[window.clip]
        if window.speaking is not None:
            shown.append((int(target[window.speaking]), label))
    return _Pairs(labelled, shown, seconds)


def _window(shown: Prediction, session: Session) -> Window:
    first = int(np.ceil(shown.start / CHUNK_SECONDS - 1e-9))
    stop = int(shown.end / CHUNK_SECONDS + 1e-9)
    indices = session.clips_in(first, stop)
    return Window(
        end=shown.end,
        state=shown.state,
        label=shown.label,
        speech=len(indices) * CHUNK_SECONDS,
        clip=most_frequent(indices),
        speaking=_speaking(session.clip_at, stop),
    )


def _speaking(clip_at: NDArray[np.intp], stop: int) -> int | None:
    """The clip that has begun and not ended at a chunk, even if there is a pause within it."""
    before, after = clip_at[:stop], clip_at[stop:]
    last = before[before != NO_CLIP][-1:]
    following = after[after != NO_CLIP][:1]
    return int(last[0]) if len(last) and len(following) and last[0] == following[0] else None
