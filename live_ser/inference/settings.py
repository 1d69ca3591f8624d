"""Settings of the windows that a user can choose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from live_ser.errors import InvalidArgument
from live_ser.spec import ModelInfo

SMOOTHING = 1.0  # seconds
_SHORTEST_HOP = 0.05  # seconds
_LONGEST_SMOOTHING = 60.0  # seconds


@dataclass(frozen=True)
class Settings:
    """How often windows are classified, and how predictions are smoothed.

    Attributes:
        hop: seconds from one window to the next.
        smoothing: time constant in seconds; 0 is off.
    """

    hop: float
    smoothing: float

    @classmethod
    def checked(
        cls, info: ModelInfo, hop: float | None = None, smoothing: float | None = None
    ) -> Settings:
        """Check settings, and fill in defaults.

        Args:
            info: metadata of the model.
            hop: seconds, from 0.05 to the model's window; None for the model's default.
            smoothing: seconds, from 0 to 60; None for 1.

        Raises:
            InvalidArgument: one of them is out of range.
        """
        hop = info.hop if hop is None else _number(hop, "hop")
        if not _SHORTEST_HOP <= hop <= info.window:
            raise InvalidArgument(
                f"a hop of {hop:g} s is not between {_SHORTEST_HOP:g} s and the window "
                f"({info.window:g} s)",
                f"leave `hop` out for the model's own of {info.hop:g} s",
            )
        smoothing = SMOOTHING if smoothing is None else _number(smoothing, "smoothing")
        if not 0 <= smoothing <= _LONGEST_SMOOTHING:
            raise InvalidArgument(
                f"smoothing of {smoothing:g} s is not between 0 and {_LONGEST_SMOOTHING:g} s",
                f"leave `smoothing` out for {SMOOTHING:g} s",
            )
        return cls(hop, smoothing)


def checked_seconds(seconds: object, name: str) -> float:
    """Check a length of time in seconds.

    Raises:
        InvalidArgument: it is not a number, not finite, or negative.
    """
    number = _number(seconds, name)
    if not (math.isfinite(number) and number >= 0):
        raise InvalidArgument(f"{name}: {number:g} s is no length of time", "give seconds: 2.5")
    return number


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidArgument(f"{name}: {value!r:.60} is no number", "give seconds: 0.5")
    return float(value)
