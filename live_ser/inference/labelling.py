"""Labels that the user gives utterances of a live source, and that the model learns from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from live_ser.errors import InvalidArgument
from live_ser.frontend.features import Frames
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.stream import Features
from live_ser.inference.utterances import Mask, pieces
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import PAUSE_SECONDS, restart_seconds, stretches
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.take import Take
from live_ser.model.taught import TaughtModel, Teaching
from live_ser.spec import ModelInfo

NOTHING_TO_LABEL = "not labelled: nobody has spoken yet"
NOTHING_TO_UNDO = "no label to take back"
_KEPT = 12.0  # seconds of an utterance in memory; longer than a window


@dataclass(frozen=True, kw_only=True, eq=False)
class Label:
    """A label that the user gives an utterance.

    Attributes:
        start: seconds from the start of the source to the first speech that it applies to.
        end: seconds from the start of the source to the end of the last speech that it applies to.
        label: the emotion; None for a label that was taken back.
        guess: the model's prediction; None if there was none.
        take: the utterance as a take to teach with; None for a model that cannot be taught.
        replaced: takes of earlier labels of the same utterance, which this one replaces.
    """

    start: float
    end: float
    label: str | None
    guess: str | None = None
    take: Take | None = None
    replaced: tuple[Take, ...] = ()

    @property
    def words(self) -> str:
        """What was labelled, in words: ``happy: 5.1 to 7.9 s``."""
        span = f"{self.start:.1f} to {self.end:.1f} s"
        return f"{self.label}: {span}" if self.label else f"label removed: {span}"


class _Spoken(NamedTuple):
    """Speech that a label applies to, at most a window long."""

    start: float
    end: float
    frames: Frames
    evidence: float


class Labelling:
    """Labels of the utterances of a source; the model learns from them.

    Args:
        model: the model; labels add to its teaching.
        classifier: the classifier of windows, which uses the taught model from the next utterance
            on.

    Attributes:
        model: the model, taught by the labels so far.
    """

    def __init__(self, model: EmotionModel, classifier: WindowClassifier) -> None:
        self.model = self._before = model
        self._classifier = classifier
        self._newest = _NewestUtterance(model.info)
        self._labels: list[Label] = []  # those in effect

    @property
    def spoken_until(self) -> float:
        """End of the newest speech, in seconds from the start of the source; -1 without speech."""
        spoken = self._newest.spoken()
        return spoken.end if spoken else -1.0

    def push(self, features: Features) -> None:
        """Add the next step of the source."""
        self._newest.push(features)

    def label(self, emotion: str) -> Label | None:
        """Label the newest utterance, which may still be going on; the model learns from it.

        Utterances are separated as live windows separate them, by pauses of 0.45 s; of a longer
        one than a window, the label applies to the newest part. An earlier label of the same
        speech is replaced. The model uses what it learns from the
        next utterance on.

        Args:
            emotion: one of the model's labels.

        Returns:
            The label; None if nobody has spoken yet.

        Raises:
            InvalidArgument: the model has no such label.
        """
        check_emotion(self.model.info, emotion)
        spoken = self._newest.spoken()
        if spoken is None:
            return None
        start, end = spoken.start, spoken.end
        same = [one for one in self._labels if one.start < end and start < one.end]
        label = Label(
            start=start,
            end=end,
            label=emotion,
            guess=self._classifier.guess(start, end),
            take=self._take(spoken, emotion),
            replaced=tuple(one.take for one in same if one.take),
        )
        self._labels = [*(one for one in self._labels if one not in same), label]
        self._learn(end)
        return label

    def undo(self) -> Label | None:
        """Take back the newest label.

        Returns:
            The utterance, without a label; None if there is no label.
        """
        if not self._labels:
            return None
        last = self._labels.pop()
        self._learn(last.end)
        replaced = (last.take,) if last.take else ()
        return replace(last, label=None, take=None, replaced=replaced)

    def _take(self, spoken: _Spoken, emotion: str) -> Take | None:
        network = _untaught(self._before)
        if not network.embedding_size or network.info.baseline is None:
            return None
        return Take.of([network.predict(spoken.frames)], [spoken.evidence], emotion)

    def _learn(self, since: float) -> None:
        """Teach the model by the labels in effect, for the speech after a time."""
        takes = [label.take for label in self._labels if label.take]
        before = self._before.teaching if isinstance(self._before, TaughtModel) else None
        self.model = self._before
        if takes:
            network = _untaught(self._before)
            teaching = Teaching(network, [*(before.takes if before else ()), *takes])
            self.model = TaughtModel(network, teaching, self._before.known)
        self._classifier.switch_model(self.model, since)


class Labelled(Protocol):
    """A voice whose utterances can be labelled."""

    @property
    def spoken_until(self) -> float:
        """Seconds from the start of the source to the end of the newest speech."""

    def label(self, emotion: str) -> Label | None:
        """Label the newest utterance."""

    def undo(self) -> Label | None:
        """Take back the newest label."""


class NewestVoice:
    """Labels of several voices: a label applies to the voice that spoke last.

    Args:
        voices: each with labels of its own.
    """

    def __init__(self, voices: Iterable[Labelled]) -> None:
        self._voices = tuple(voices)
        self._labelled: list[Labelled] = []  # the voice of each label

    def label(self, emotion: str) -> Label | None:
        """Label the newest utterance, as :meth:`Labelling.label` does."""
        voice = max(self._voices, key=lambda voice: voice.spoken_until)
        label = voice.label(emotion)
        if label:
            self._labelled.append(voice)
        return label

    def undo(self) -> Label | None:
        """Take back the newest label, as :meth:`Labelling.undo` does."""
        while self._labelled:
            if label := self._labelled.pop().undo():
                return label
        return None


def check_emotion(info: ModelInfo, emotion: str) -> None:
    """Check that a model has an emotion.

    Raises:
        InvalidArgument: it has no such label.
    """
    if emotion not in info.labels:
        raise InvalidArgument(
            f"this model has no emotion {emotion!r}", f"its emotions: {', '.join(info.labels)}"
        )


def _untaught(model: EmotionModel) -> EmotionModel:
    return model.network if isinstance(model, TaughtModel) else model


class _Step(NamedTuple):
    """Features of a step, and the number of frames and chunks before it."""

    features: Features
    frames: int
    chunks: int


class _NewestUtterance:
    """The newest utterance of a source.

    Steps are stored as they come, and cut into utterances only on request.

    Args:
        info: metadata of the model.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        self._rate = info.features.sample_rate
        self._last: _Spoken | None = None  # before the utterance that has begun
        self._frames, self._chunks, self._stop = 0, 0, 0
        self._quiet, self._has_speech = 0.0, False
        self._begin(0)

    def push(self, features: Features) -> None:
        """Add the next step; no utterance reaches across a gap."""
        if features.origin != self._origin:
            self._end()
            self._begin(features.origin)
        seconds = (features.stop - self._stop) / self._rate
        self._stop = features.stop
        self._steps.append(_Step(features, self._frames, self._chunks))
        self._frames += len(features.frames)
        self._chunks += len(features.mask)
        spoken = bool(features.mask.any())
        self._quiet = 0.0 if spoken else self._quiet + seconds
        if not spoken and (not self._has_speech or self._quiet > PAUSE_SECONDS + seconds):
            self._end()
            while len(self._steps) > 1:  # speech may have begun in the newest
                self._steps.popleft()
        self._has_speech |= spoken
        while self._seconds - seconds > _KEPT:
            self._steps.popleft()

    def spoken(self) -> _Spoken | None:
        """Its speech, the newest part if it is longer than a window; None if nobody has spoken yet.

        An utterance that has just begun does not count, as it has no prediction yet.
        """
        return self._cut() or self._last

    def _begin(self, origin: int) -> None:
        self._origin = self._stop = origin
        self._steps: deque[_Step] = deque()
        self._frames = self._chunks = 0
        self._quiet, self._has_speech = 0.0, False

    def _end(self) -> None:
        """End the utterance."""
        if self._has_speech:
            self._last = self._cut() or self._last
        self._has_speech = False

    @property
    def _seconds(self) -> float:
        first = self._steps[0].chunks
        return (self._chunks - first) * CHUNK_SECONDS

    def _cut(self) -> _Spoken | None:
        """The newest utterance in memory with enough speech to classify."""
        if not self._has_speech:
            return None
        mask = np.concatenate([step.features.mask for step in self._steps])
        is_over = self._quiet > 0
        for begin, stop in reversed(stretches(mask, restart_seconds(self._info))):
            enough = self._info.gate.enough(over=is_over)
            if np.count_nonzero(mask[begin:stop]) * CHUNK_SECONDS >= enough:
                return self._between(self._newest_piece(mask, begin, stop, enough), stop, mask)
            is_over = True
        return None

    def _newest_piece(self, mask: Mask, begin: int, stop: int, enough: float) -> int:
        """The first chunk of an utterance's newest part, at most a window long."""
        longest = int(self._info.window / CHUNK_SECONDS)
        first = begin + pieces(mask[begin:stop], longest)[-1][0]
        if np.count_nonzero(mask[first:stop]) * CHUNK_SECONDS < enough:
            first = max(begin, stop - longest)
        return first

    def _between(self, begin: int, stop: int, mask: Mask) -> _Spoken | None:
        """The features from one chunk in memory to another."""
        spec, first = self._info.features, self._steps[0]
        hop = spec.hop_length / spec.sample_rate
        start, end = ((first.chunks + chunk) * CHUNK_SECONDS for chunk in (begin, stop))
        frames = np.concatenate([step.features.frames for step in self._steps])
        rows = frames[
            max(0, round(start / hop) - first.frames) : max(0, round(end / hop) - first.frames)
        ]
        evidence = float(np.count_nonzero(mask[begin:stop])) * CHUNK_SECONDS
        origin = self._origin / self._rate
        return _Spoken(origin + start, origin + end, rows, evidence) if len(rows) else None
