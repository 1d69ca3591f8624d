"""The headline: the label shown in large type, held through pauses and slow to change.

Predictions may fluctuate from hop to hop. The headline stays until another label has persisted, and
in pauses it stays with its age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from live_ser.inference.results import Prediction

CURRENT_SECONDS = 1.0  # since the last prediction, up to which a headline is current
FADE_SECONDS = 10.0  # after which it disappears
_STALE = 2.0  # seconds since the last prediction, after which another label replaces it at once
_LASTING = 0.5  # seconds that another label must persist
_DWELL = 2.5  # minimum seconds between changes
_DOUBT = 3.0  # seconds of uncertain predictions before the headline becomes uncertain
_LEVEL = 0.7  # share of the highest probability from which the second counts as close
_TOGETHER = 0.6  # minimum probability of the two together
_ROUNDING = 1e-6  # seconds

Kind = Literal["speech", "either", "uncertain"]


@dataclass(frozen=True)
class Headline:
    """A headline.

    Attributes:
        kind: ``speech`` (one emotion), ``either`` (one of two that are close) or
            ``uncertain``.
        labels: the emotion; for ``either`` the two, the likelier first; for ``uncertain`` the most
            probable one.
        confidence: probability of the first label in the last prediction, 0 to 1.
        age: seconds since the last prediction.
    """

    kind: Kind
    labels: tuple[str, ...]
    confidence: float
    age: float = 0.0

    @property
    def word(self) -> str:
        """The text: ``happy``, ``angry or fearful``, ``uncertain``."""
        return "uncertain" if self.kind == "uncertain" else " or ".join(self.labels)

    def has_labels_of(self, other: Headline) -> bool:
        """Whether both have the same labels, in any order."""
        if self.kind != other.kind:
            return False
        return self.kind == "uncertain" or set(self.labels) == set(other.labels)

    @property
    def is_current(self) -> bool:
        """Whether it is about the speech now."""
        return self.age <= CURRENT_SECONDS + _ROUNDING


class HeadlineTracker:
    """Derives the headline from the predictions of a session.

    Another label must persist for half a second, and the headline must be 2.5 s old, unless nothing
    has confirmed it for two seconds. Uncertain windows change it only after three seconds.
    """

    def __init__(self) -> None:
        self._shown: Headline | None = None
        self._changed = 0.0  # seconds from the start of the source, as all times here
        self._predicted = 0.0
        self._other: Headline | None = None  # a candidate
        self._other_since = 0.0

    def push(self, prediction: Prediction) -> Headline | None:
        """Add a prediction, and return the headline; None if there is none."""
        now = prediction.end
        new = _headline_of(prediction)
        if new is not None:
            self._consider(new, now)
        if self._shown is None or now - self._predicted > FADE_SECONDS:
            self._shown = None
            return None
        return replace(self._shown, age=max(0.0, now - self._predicted))

    def _consider(self, new: Headline, now: float) -> None:
        if self._shown is not None and new.has_labels_of(self._shown):
            # Keep the order of two labels that swap places.
            labels = new.labels if new.kind == "uncertain" else self._shown.labels
            self._show(replace(new, labels=labels), now)
            return
        if self._other is None or not new.has_labels_of(self._other):
            self._other, self._other_since = new, now
        if self._is_due(new, now):
            self._changed = now
            self._show(new, now)

    def _show(self, new: Headline, now: float) -> None:
        self._shown, self._predicted, self._other = new, now, None

    def _is_due(self, new: Headline, now: float) -> bool:
        """Whether another headline replaces the one shown."""
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
    """The headline of a single prediction."""
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
    """The two most probable emotions, if they are close and together probable.

    Args:
        probabilities: probability of each label, summing to 1.

    Returns:
        The two, the likelier first; None if they are not close, or a third is likely.
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
