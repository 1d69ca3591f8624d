"""Labels that the user gives utterances of a live source, and that the model learns from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from live_ser.errors import InvalidArgument
from live_ser.frontend.features import Frames
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.stream import Features
from live_ser.inference.utterances import pieces
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import PAUSE_SECONDS
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.take import Take
from live_ser.model.taught import TaughtModel, Teaching
from live_ser.spec import ModelInfo

NOTHING_TO_LABEL = "not labelled: nobody has spoken yet"
NOTHING_TO_UNDO = "no label to take back"
_LONGEST = 12.0  # seconds: a label applies to at most so much of an utterance


@dataclass(frozen=True, kw_only=True, eq=False)
class Label:
    """A label that the user gives an utterance.

    Attributes:
        start: seconds from the start of the source to its first speech.
        end: seconds from the start of the source to the end of its last speech.
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


class _Piece(NamedTuple):
    """A part of an utterance, at most a window long."""

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
        pieces = self._newest.pieces()
        return pieces[-1].end if pieces else -1.0

    def push(self, features: Features) -> None:
        """Add the next step of the source."""
        self._newest.push(features)

    def label(self, emotion: str) -> Label | None:
        """Label the newest utterance, which may still be going on; the model learns from it.

        An earlier label of the same utterance is replaced. The model uses what it learns from the
        next utterance on.

        Args:
            emotion: one of the model's labels.

        Returns:
            The label; None if nobody has spoken yet.

        Raises:
            InvalidArgument: the model has no such label.
        """
        check_emotion(self.model.info, emotion)
        spoken = self._newest.pieces()
        if not spoken:
            return None
        start, end = spoken[0].start, spoken[-1].end
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

    def _take(self, spoken: Sequence[_Piece], emotion: str) -> Take | None:
        network = _untaught(self._before)
        if not network.embedding_size or network.info.baseline is None:
            return None
        outputs = [network.predict(piece.frames) for piece in spoken]
        return Take.of(outputs, [piece.evidence for piece in spoken], emotion)

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

    Steps are stored as they come, and cut into pieces only on request.

    Args:
        info: metadata of the model.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        self._rate = info.features.sample_rate
        self._last: list[_Piece] = []  # of the utterance before the one that has begun
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
        while self._seconds - seconds > _LONGEST:
            self._steps.popleft()

    def pieces(self) -> list[_Piece]:
        """Its pieces with enough speech to classify; none if nobody has spoken yet.

        An utterance that has just begun does not count, as it has no prediction yet.
        """
        newest = self._cut()
        evidence = sum(piece.evidence for piece in newest)
        is_enough = evidence >= self._info.gate.enough(over=self._quiet > 0)
        return newest if newest and is_enough else self._last

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

    def _cut(self) -> list[_Piece]:
        if not self._has_speech:
            return []
        spec = self._info.features
        hop, first = spec.hop_length / spec.sample_rate, self._steps[0]
        mask = np.concatenate([step.features.mask for step in self._steps])
        frames = np.concatenate([step.features.frames for step in self._steps])
        origin = self._origin / self._rate
        found: list[_Piece] = []
        for begin, stop in pieces(mask, int(self._info.window / CHUNK_SECONDS)):
            start, end = ((first.chunks + chunk) * CHUNK_SECONDS for chunk in (begin, stop))
            rows = frames[
                max(0, round(start / hop) - first.frames) : max(0, round(end / hop) - first.frames)
            ]
            evidence = float(np.count_nonzero(mask[begin:stop])) * CHUNK_SECONDS
            if len(rows) and evidence >= self._info.gate.min_speech:
                if found and origin + start - found[-1].end > PAUSE_SECONDS:
                    found = []  # the speech before the pause is another utterance
                found.append(_Piece(origin + start, origin + end, rows, evidence))
        return found
