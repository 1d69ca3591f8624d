"""Settings of the windows that a user can choose."""

from __future__ import annotations

from dataclasses import dataclass

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
        hop = info.hop if hop is None else hop
        if not _SHORTEST_HOP <= hop <= info.window:
            raise InvalidArgument(
                f"a hop of {hop:g} s is not between {_SHORTEST_HOP:g} s and the window "
                f"({info.window:g} s)",
                f"leave `hop` out for the model's own of {info.hop:g} s",
            )
        smoothing = SMOOTHING if smoothing is None else smoothing
        if not 0 <= smoothing <= _LONGEST_SMOOTHING:
            raise InvalidArgument(
                f"smoothing of {smoothing:g} s is not between 0 and {_LONGEST_SMOOTHING:g} s",
                f"leave `smoothing` out for {SMOOTHING:g} s",
            )
        return cls(hop, smoothing)
