"""The speaker's baseline: how their voice usually sounds.

For each stretch of speech the model outputs ``voice``, an embedding. The mean of a speaker's voices
is their baseline, and the model classifies a stretch by how it differs from that. Sound cannot be
reconstructed from it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.model.onnx_model import EmotionModel, KnownVoice, ModelOutput
from live_ser.spec import ModelInfo

_ENROLLED = 6.0  # weight of enrolled speech
_SAME_TIME = 1e-6  # seconds


@dataclass(frozen=True)
class _Speech:
    """A stretch of speech and its voice; ``weight`` is that of each second."""

    start: float
    end: float
    weight: float
    voice: NDArray[np.float64]

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class BaselineStatus:
    """The state of a baseline, to show.

    Attributes:
        profile: name of the profile that it started with; empty if none.
        seconds: seconds of speech in the baseline.
        speech: seconds of speech in this session.
        enrol: seconds of speech at the start that are known to be neutral.
    """

    profile: str
    seconds: float
    speech: float
    enrol: float

    @property
    def enrolling(self) -> bool:
        """Whether the speech now is known to be neutral."""
        return self.speech < self.enrol

    def __str__(self) -> str:
        if self.enrolling:
            return f"enrolling, {self.speech:.0f} of {self.enrol:g} s"
        if not self.seconds:
            return "not yet"
        return ", ".join(filter(None, [self.profile, f"{self.seconds:.0f} s"]))


class RunningBaseline:
    """A speaker's baseline: the mean voice of their speech so far; new speech counts most.

    It starts as a typical voice (zeros), and approaches the speaker's own as more speech comes. The
    usual effect of the predicted emotion is subtracted from each stretch, so that the baseline of
    someone who is in one mood all day does not absorb that mood.

    Args:
        info: metadata of a model with a baseline.
        enrol: seconds of speech at the start that are known to be neutral; they count for more.

    Attributes:
        profile: name of the profile that it started with; empty if none.
        enrol: seconds of speech at the start that are known to be neutral.
        speech: seconds of speech in this session.
        weight: weight of its speech, in seconds.
    """

    def __init__(self, info: ModelInfo, *, enrol: float = 0.0) -> None:
        assert info.baseline is not None
        self._spec = info.baseline
        self._offsets = info.offset_matrix
        self._neutral = np.array([label == "neutral" for label in info.labels], np.float64)
        self._sum: NDArray[np.float64] = np.zeros(self._spec.size)
        self._newest: deque[_Speech] = deque()
        self._until = 0.0
        self._counted = 0.0  # seconds of speech in the sum
        self._before = 0.0  # seconds of speech in what it started with
        self._begun = 0.0  # weight that this still has
        self._kept = 1.0  # share that is left of its weight
        self._own: NDArray[np.float64] = np.zeros(self._spec.size)  # the sum of this session alone
        self.profile = ""
        self.enrol = enrol
        self.speech = 0.0
        self.weight = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of speech in it, at most its memory."""
        return min(self._before + self._counted, self._spec.memory)

    @property
    def denominator(self) -> float:
        """The weight, including that of a typical voice."""
        return self.weight + self._spec.typical

    @property
    def enrolling(self) -> bool:
        """Whether the speech now is known to be neutral."""
        return self.speech < self.enrol

    @property
    def mean(self) -> NDArray[np.float64] | None:
        """Mean voice of the speech so far, float64 ``[size]``; None without speech."""
        return self._sum / self.weight if self.weight else None

    @property
    def status(self) -> BaselineStatus:
        """The state of the baseline, to show."""
        return BaselineStatus(self.profile, self.seconds, self.speech, self.enrol)

    @classmethod
    def of(cls, network: EmotionModel, *, enrol: float = 0.0) -> RunningBaseline | None:
        """A new baseline for a model, which starts with the speaker that the model knows.

        Args:
            network: the model.
            enrol: seconds of speech at the start that are known to be neutral.

        Returns:
            The baseline; None for a model without one.
        """
        if network.info.baseline is None:
            return None
        baseline = cls(network.info, enrol=enrol)
        if known := network.known:
            baseline.begin(
                known.mean, seconds=known.seconds, weight=known.weight, profile=known.profile
            )
        return baseline

    def begin(
        self, mean: NDArray[np.float64], *, seconds: float, weight: float, profile: str
    ) -> None:
        """Start from the baseline of earlier sessions.

        Args:
            mean: float64 ``[size]``, its :attr:`mean`.
            seconds: seconds of speech in it.
            weight: weight of this speech, in seconds.
            profile: name of the profile that stores it.
        """
        self.weight = min(weight, self._spec.memory)
        self._sum = self.weight * mean
        self._begun, self._kept = self.weight, 1.0
        self._before = seconds
        self.profile = profile

    def before(self, start: float) -> NDArray[np.float32]:
        """The baseline at a time: all speech that ended before it.

        Args:
            start: seconds from the start of the source.

        Returns:
            float32 ``[size]``; zeros, a typical voice, if there was no speech.
        """
        while self._newest and self._newest[0].end <= start + _SAME_TIME:
            self._count(self._newest.popleft())
        return np.asarray(self._sum / self.denominator, np.float32)

    def update(self, output: ModelOutput, start: float, end: float) -> None:
        """Add a stretch of speech; speech that was added before is not counted twice.

        A stretch that contains earlier ones replaces them, as a longer one is more reliable.

        Args:
            output: the model's output for the stretch.
            start: its start, in seconds from the start of the source.
            end: its end, in seconds from the start of the source.
        """
        if end <= self._until + _SAME_TIME:
            return
        while self._newest and self._newest[-1].start >= start - _SAME_TIME:
            last = self._newest.pop()
            self._until = last.start
            self.speech -= last.seconds
        weight = _ENROLLED if self.enrolling else 1.0
        speech = _Speech(max(start, self._until), end, weight, self.neutral_voice(output))
        self._newest.append(speech)
        self._until = end
        self.speech += speech.seconds

    def neutral_voice(self, output: ModelOutput) -> NDArray[np.float64]:
        """The voice without the usual effect of its emotion, float64 ``[size]``."""
        assert output.voice is not None
        emotion = self._neutral if self.enrolling else output.probabilities
        return np.asarray(output.voice - emotion @ self._offsets, np.float64)

    def finish(self) -> None:
        """Count all speech so far."""
        self.before(self._until)

    def added_to(self, known: KnownVoice | None) -> KnownVoice | None:
        """The speech of this session added to a baseline of earlier sessions.

        Args:
            known: the baseline of earlier sessions, which may have changed since this one started.

        Returns:
            The sum; None if there is neither.
        """
        self.finish()
        own, memory = self.weight - self._begun, self._spec.memory
        before = min(known.weight * self._kept, memory - own) if known else 0.0
        if before + own <= 0:
            return known
        total = self._own + (before * known.mean if known else 0.0)
        seconds = self._counted + (known.seconds if known else 0.0)
        return KnownVoice(total / (before + own), min(seconds, memory), before + own)

    def _count(self, speech: _Speech) -> None:
        weight = speech.weight * speech.seconds
        self._sum += weight * speech.voice
        self._own += weight * speech.voice
        self._counted += speech.seconds
        self.weight += weight
        if self.weight > self._spec.memory:
            left = self._spec.memory / self.weight
            self._sum *= left
            self._own *= left
            self._begun *= left
            self._kept *= left
            self.weight = self._spec.memory
