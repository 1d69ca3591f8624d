"""The tally of a session: what was heard in it, in a few lines at its end."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

from collections import defaultdict

from live_ser.inference.results import Prediction
from live_ser.live.sink import Sink
from live_ser.text import clock


class Tally(Sink):
    """Counts seconds of speech by what was predicted in them.

    Args:
        hop: seconds between windows.

    Attributes:
        speech: seconds of speech, about: to a chunk of the speech gate at the end of a stretch, to
            a hop at its start.
        seconds: seconds of speech by emotion, and of ``uncertain``; what was too short to be
            classified is in none.
        marks: how many moments were marked.
    """

    name = "the tally"
    keeps_going = False

    def __init__(self, hop: float) -> None:
        self._hop = hop
        self._activation = 0.0  # summed over the seconds that were classified
        self.speech = 0.0
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.marks = 0

    def window(self, prediction: Prediction) -> None:
        since = prediction.since_speech
        new = 0.0 if since is None else max(0.0, self._hop - since)
        self.speech += new
        if prediction.label is not None and prediction.activation is not None:
            name = prediction.label if prediction.state == "speech" else prediction.state
            self.seconds[name] += new
            self._activation += new * prediction.activation

    def mark(self, time: float) -> None:
        self.marks += 1

    @property
    def activation(self) -> float | None:
        """Mean over the speech that was classified, 0 to 1; None without any."""
        classified = sum(self.seconds.values())
        return self._activation / classified if classified else None

    def lines(self, seconds: float) -> list[str]:
        """What is to be said at the end.

        Args:
            seconds: that the session took.
        """
        heard = f"{_length(seconds)} heard, {_length(self.speech)} of it speech"
        classified = sum(self.seconds.values())
        lines = [heard]
        if classified:
            shares = [
                f"{name} {100 * share / classified:.0f} %"
                for name, share in sorted(self.seconds.items(), key=lambda item: -item[1])
                if share / classified >= _LEAST
            ]
            mean = f"activation {self.activation:.2f} on average"
            lines.append(f"of the speech: {', '.join(shares)}; {mean}")
        if self.marks:
            lines.append("1 mark" if self.marks == 1 else f"{self.marks} marks")
        return lines


_LEAST = 0.005  # of the speech, under which an emotion is not named


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)
