"""The headline: the verdict that stands large, held through pauses and slow to change.

A prediction comes with each hop and may flutter; whoever looks up from time to time wants to read
what was last said. So a verdict stays until another one has lasted, and stays on, with its age,
when nobody speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from live_ser.inference.results import Prediction

CURRENT_SECONDS = 1.0  # since it was last predicted, for which a verdict is that of now
FADE_SECONDS = 10.0  # after which it is gone
_STALE = 2.0  # seconds since it was last predicted, from which another one need not wait
_LASTING = 0.5  # seconds that another verdict has to last before it takes the place
_DWELL = 2.5  # seconds that a verdict stands at least before another one takes its place
_DOUBT = 3.0  # seconds that predictions have to be uncertain before the headline is
_LEVEL = 0.7  # of the highest probability, from which the second is nearly level with it
_TOGETHER = 0.6  # probability of both, from which it is one of the two
_ROUNDING = 1e-6  # seconds

Kind = Literal["speech", "either", "uncertain"]


@dataclass(frozen=True)
class Headline:
    """A verdict, as it is shown.

    Attributes:
        kind: ``speech`` (one emotion), ``either`` (one of two that are nearly level) or
            ``uncertain``.
        labels: the emotion; the two of ``either``, the likelier first; the best guess in
            ``uncertain``.
        confidence: probability of the first label when it was last predicted, 0 to 1.
        age: seconds since it was last predicted.
    """

    kind: Kind
    labels: tuple[str, ...]
    confidence: float
    age: float = 0.0

    @property
    def word(self) -> str:
        """What stands large: ``happy``, ``angry or fearful``, ``uncertain``."""
        return "uncertain" if self.kind == "uncertain" else " or ".join(self.labels)

    def says_the_same_as(self, other: Headline) -> bool:
        """Whether the other one has the same word, in whatever order."""
        if self.kind != other.kind:
            return False
        return self.kind == "uncertain" or set(self.labels) == set(other.labels)

    @property
    def is_current(self) -> bool:
        """Whether it is what is heard now, and not what was heard before."""
        return self.age <= CURRENT_SECONDS + _ROUNDING


class HeadlineTracker:
    """Follows the predictions of a session, and keeps the headline calm.

    A verdict that contradicts the headline has to last for half a second, and the headline has to
    have stood for 2.5 s; unless nothing has confirmed it for two seconds. Uncertain windows change
    it after three seconds only.
    """

    def __init__(self) -> None:
        self._shown: Headline | None = None
        self._changed = 0.0  # seconds from the start of the source, as all times here
        self._predicted = 0.0
        self._other: Headline | None = None  # that could take the place
        self._other_since = 0.0

    def push(self, prediction: Prediction) -> Headline | None:
        """The headline after another prediction; None where there is nothing to show."""
        now = prediction.end
        new = _headline_of(prediction)
        if new is not None:
            self._consider(new, now)
        if self._shown is None or now - self._predicted > FADE_SECONDS:
            self._shown = None
            return None
        return replace(self._shown, age=max(0.0, now - self._predicted))

    def _consider(self, new: Headline, now: float) -> None:
        if self._shown is not None and new.says_the_same_as(self._shown):
            # Two that swap places do not flicker.
            labels = new.labels if new.kind == "uncertain" else self._shown.labels
            self._show(replace(new, labels=labels), now)
            return
        if self._other is None or not new.says_the_same_as(self._other):
            self._other, self._other_since = new, now
        if self._is_due(new, now):
            self._changed = now
            self._show(new, now)

    def _show(self, new: Headline, now: float) -> None:
        self._shown, self._predicted, self._other = new, now, None

    def _is_due(self, new: Headline, now: float) -> bool:
        """Whether a verdict that differs from the headline takes its place."""
        if self._shown is None:
            return True
        age = now - self._predicted + _ROUNDING
        lasted = now - self._other_since + _ROUNDING
        stood = now - self._changed + _ROUNDING
        if self._shown.kind == "speech":
            if new.kind != "speech":
                return age >= _DOUBT
            return age >= _STALE or (lasted >= _LASTING and stood >= _DWELL)
        return new.kind == "speech" or (lasted >= 2 * _LASTING and stood >= _DWELL)


def _headline_of(prediction: Prediction) -> Headline | None:
    """What a prediction alone would show."""
    if prediction.probabilities is None or prediction.label is None:
        return None
    confidence = prediction.confidence or 0.0
    if prediction.state == "speech":
        return Headline("speech", (prediction.label,), confidence)
    pair = level_pair(prediction.probabilities)
    if pair is not None:
        return Headline("either", pair, prediction.probabilities[pair[0]])
    return Headline("uncertain", (prediction.label,), confidence)


def level_pair(probabilities: Mapping[str, float]) -> tuple[str, str] | None:
    """The two likeliest emotions where they are nearly level and one of them is likely.

    Args:
        probabilities: of every label, summing to 1.

    Returns:
        The likelier first; None where one of them is ahead, or where it may well be a third.
    """
    first, second, *_ = [
        *sorted(probabilities, key=probabilities.__getitem__, reverse=True),
        "",
        "",
    ]
    if not second or probabilities[second] < _LEVEL * probabilities[first]:
        return None
    if probabilities[first] + probabilities[second] < _TOGETHER:
        return None
    return first, second
