"""The summary of a session: seconds of each emotion, in a few lines at its end."""

# ruff: noqa: D102 - the methods are those of Sink, and documented there.

from __future__ import annotations

from collections import defaultdict

from live_ser.audio.blocks import Voice
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.live.sink import Sink
from live_ser.text import clock, counted, percentages


class Tally(Sink):
    """Counts the seconds of speech of each voice and emotion.

    Args:
        marks_stored: whether marks are stored; if not, they are not counted.

    Attributes:
        voices: the counts of each voice, by its name.
        marks: number of marks.
    """

    name = "the tally"
    keeps_going = False

    def __init__(self, *, marks_stored: bool = True) -> None:
        self._marks_stored = marks_stored
        self.voices: defaultdict[str, Speech] = defaultdict(Speech)
        self._ends: defaultdict[str, float] = defaultdict(float)  # of the newest window, in seconds
        self.marks = 0
        self._labels: list[Label] = []

    def window(self, prediction: Prediction) -> None:
        name = Voice(prediction.channel, prediction.speaker).name
        since = max(self._ends[name], prediction.start)  # no window reaches across a gap
        self._ends[name] = prediction.end
        self.voices[name].add(prediction, prediction.end - since)

    def mark(self, time: float) -> None:
        self.marks += self._marks_stored

    def label(self, label: Label) -> None:
        self._labels = [
            one for one in self._labels if one.end <= label.start or label.end <= one.start
        ]
        self._labels += [label] if label.label else []

    def lines(self, seconds: float) -> list[str]:
        """The lines of the summary.

        Args:
            seconds: length of the session.
        """
        if self.voices.keys() <= {""}:
            speech = self.voices[""]
            lines = [f"{_length(seconds)} heard, {_length(speech.seconds)} of it speech"]
            lines += [f"of the speech: {words}" for words in speech.words()]
        else:
            lines = [f"{_length(seconds)} heard"]
            for name, speech in self.voices.items():
                words = [f"{_length(speech.seconds)} of speech", *speech.words()]
                lines.append(f"{name}: {': '.join(words)}")
        if self.marks:
            lines.append(counted(self.marks, "mark"))
        if self._labels:
            agreed = sum(label.label == label.guess for label in self._labels)
            count = len(self._labels)
            same = "had said the same" if agreed else "had not said the same"
            if count > 1:
                same = f"had said the same for {agreed} of them"
            lines.append(f"{counted(count, 'label')}; the model {same}")
        return lines


class Speech:
    """The seconds of speech of a voice, by emotion.

    Attributes:
        seconds: seconds of speech, to within a hop for each utterance.
        emotions: seconds of the windows of each emotion and of ``uncertain``, as in a report;
            speech that was too short to classify is in none.
    """

    def __init__(self) -> None:
        self._activation = 0.0  # summed over classified seconds
        self.seconds = 0.0
        self.emotions: defaultdict[str, float] = defaultdict(float)

    def add(self, prediction: Prediction, seconds: float) -> None:
        """Add the new seconds of a window."""
        if prediction.since_speech is not None:
            self.seconds += max(0.0, seconds - prediction.since_speech)
        if prediction.label is not None and prediction.activation is not None:
            name = prediction.label if prediction.state == "speech" else prediction.state
            self.emotions[name] += seconds
            self._activation += seconds * prediction.activation

    @property
    def activation(self) -> float | None:
        """Mean activation of classified speech, 0 to 1; None without any."""
        classified = sum(self.emotions.values())
        return self._activation / classified if classified else None

    def words(self) -> list[str]:
        """Shares of the emotions and the mean activation, in a line; empty without speech."""
        if not any(self.emotions.values()):
            return []
        longest_first = sorted(self.emotions.items(), key=lambda item: -item[1])
        percent = percentages(dict(longest_first))
        shares = [f"{name} {share} %" for name, share in percent.items() if share]
        return [f"{', '.join(shares)}; activation {self.activation:.2f} on average"]


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)
