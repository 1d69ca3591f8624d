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

_ORDINARY = 6.0  # times that enrolled speech counts
_SAME_TIME = 1e-6  # seconds


@dataclass(frozen=True)
class _Speech:
    """Speech that was heard, and the voice in it; ``weight`` for each of its seconds."""

    start: float
    end: float
    weight: float
    voice: NDArray[np.float64]

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class BaselineStatus:
    """What is known of a speaker at a moment.

    Attributes:
        profile: name of the profile that it began with; empty where it began with nothing.
        seconds: of speech that the baseline rests on.
        speech: seconds of speech in this session.
        enrol: seconds of speech, from the start, that are known to be neutral.
    """

    profile: str
    seconds: float
    speech: float
    enrol: float

    @property
    def enrolling(self) -> bool:
        """Whether what is heard is known to be neutral."""
        return self.speech < self.enrol

    def __str__(self) -> str:
        if self.enrolling:
            return f"enrolling, {self.speech:.0f} of {self.enrol:g} s"
        if not self.seconds:
            return "not yet"
        return ", ".join(filter(None, [self.profile, f"{self.seconds:.0f} s"]))


class RunningBaseline:
    """A speaker's baseline, from all that was heard of them so far; the newest counts most.

    At first a voice is measured against a typical one, and the more of it was heard, the more
    against itself. What an emotion usually adds to a voice is taken off each stretch, by what was
    heard in it: somebody in one mood all day must not come to seem to be in none.

    Args:
        info: of a model that takes a baseline.
        enrol: seconds of speech that are known to be neutral, and count for more.

    Attributes:
        profile: name of the profile that it began with; empty where it began with nothing.
        enrol: seconds of speech that are known to be neutral.
        speech: seconds of speech that it was made from in this session.
        weight: seconds that its speech counts for.
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
        self._before = 0.0  # seconds of speech that it began with
        self._begun = 0.0  # weight that this still has
        self._kept = 1.0  # share that is left of what it had
        self._own: NDArray[np.float64] = np.zeros(self._spec.size)  # the sum without it
        self.profile = ""
        self.enrol = enrol
        self.speech = 0.0
        self.weight = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of speech that it rests on; what is older than its memory no longer counts."""
        return min(self._before + self._counted, self._spec.memory)

    @property
    def denominator(self) -> float:
        """Seconds that speech is measured against, those of a typical voice among them."""
        return self.weight + self._spec.typical

    @property
    def enrolling(self) -> bool:
        """Whether what is heard is known to be neutral."""
        return self.speech < self.enrol

    @property
    def mean(self) -> NDArray[np.float64] | None:
        """Mean voice of the speech so far, float64 ``[size]``; None before any."""
        return self._sum / self.weight if self.weight else None

    @property
    def status(self) -> BaselineStatus:
        """What is known of the speaker now."""
        return BaselineStatus(self.profile, self.seconds, self.speech, self.enrol)

    @classmethod
    def of(cls, network: EmotionModel, *, enrol: float = 0.0) -> RunningBaseline | None:
        """A baseline for a network, begun with what it knows of the speaker.

        Args:
            network: that it is for.
            enrol: seconds of speech that are known to be neutral, and count for more.

        Returns:
            The baseline; None for a network that takes none.
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
        """Start from what was known before.

        Args:
            mean: float64 ``[size]``, as :attr:`mean` gave it.
            seconds: of speech that it rests on.
            weight: seconds that this speech counts for.
            profile: name of where it was kept.
        """
        self.weight = min(weight, self._spec.memory)
        self._sum = self.weight * mean
        self._begun, self._kept = self.weight, 1.0
        self._before = seconds
        self.profile = profile

    def before(self, start: float) -> NDArray[np.float32]:
        """What speech is measured against: all that ended before it.

        Args:
            start: seconds from the start of the source.

        Returns:
            float32 ``[size]``; zeros, a typical voice, where nothing was heard before.
        """
        while self._newest and self._newest[0].end <= start + _SAME_TIME:
            self._count(self._newest.popleft())
        return np.asarray(self._sum / self.denominator, np.float32)

    def update(self, output: ModelOutput, start: float, end: float) -> None:
        """Learn from a stretch of speech; what is known of it already is not counted twice.

        A stretch that holds others speaks for them: the more was heard, the better it is told.

        Args:
            output: of it.
            start: seconds from the start of the source to its first moment.
            end: seconds from the start of the source to its last moment.
        """
        if end <= self._until + _SAME_TIME:
            return
        while self._newest and self._newest[-1].start >= start - _SAME_TIME:
            last = self._newest.pop()
            self._until = last.start
            self.speech -= last.seconds
        weight = _ORDINARY if self.enrolling else 1.0
        speech = _Speech(max(start, self._until), end, weight, self.neutral_voice(output))
        self._newest.append(speech)
        self._until = end
        self.speech += speech.seconds

    def neutral_voice(self, output: ModelOutput) -> NDArray[np.float64]:
        """A voice less what the emotion in it usually adds, float64 ``[size]``."""
        assert output.voice is not None
        emotion = self._neutral if self.enrolling else output.probabilities
        return np.asarray(output.voice - emotion @ self._offsets, np.float64)

    def finish(self) -> None:
        """Let all that was heard count."""
        self.before(self._until)

    def added_to(self, known: KnownVoice | None) -> KnownVoice | None:
        """What is known of the speaker with what was heard here, whatever it began with.

        Args:
            known: of the speaker without this; others may have learnt of them meanwhile.

        Returns:
            What is known; None where nothing was known, and nothing is heard.
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
