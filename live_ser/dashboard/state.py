"""The state of the dashboard."""

from __future__ import annotations

from dataclasses import dataclass, field

from live_ser.dashboard.last_minute import LastMinute, Moment
from live_ser.dashboard.meters import Level
from live_ser.inference.results import State
from live_ser.live.headline import Headline


@dataclass(frozen=True)
class DashboardState:
    """Everything that the dashboard shows.

    Attributes:
        model: name of the model.
        labels: its emotions, in its order.
        window: length of a window in seconds.
        min_speech: seconds of speech needed to classify a window.
        source: name of the device or file.
        sample_rate: its sample rate in Hz.
        seconds: seconds of sound so far.
        state: state of the newest prediction; None before the first.
        headline: the headline; None if there is none.
        evidence: seconds of speech in the newest window.
        since_speech: seconds since the last speech; None if there was none.
        probabilities: smoothed, of the last classified window; None before the first.
        raw: probabilities of that window alone.
        activation: 0 (calm) to 1, of that window.
        valence: -1 (unpleasant) to 1, of that window; None for a model without it.
        prosody: the prosody in words, from the fullest to the shortest; empty without speech.
        moments: predictions of the last minute, oldest first.
        level: the input level.
        spectrogram: columns of the mel spectrogram, oldest first; in each a byte a band, lowest
            band first, 0 (silent) to 255 (loud).
        highest: upper edge of the highest band, in Hz.
        latency: median and 95th percentile of the computing time in ms; None before the first.
        cpu: share of one core that the process uses, 0 to 1; None before it is known.
        overflows: number of times that the device lost sound.
        skipped: number of windows skipped because the machine was too slow.
        recording: whether the sound is recorded.
        marks: number of marks.
        baseline: state of the baseline; empty if there is none.
        learning: progress of the baseline; empty if complete, or not needed.
        enrolling: progress of the enrolment; empty if there is none.
        intended: intended emotion now, in a demonstration; empty elsewhere.
        message: current message; empty if there is none.
        connected: whether the source delivers sound.
        paused: whether the user paused.
        spectrogram_on: whether the spectrogram is shown.
        telemetry_on: whether telemetry is shown even without a problem.
        help_page: page of the legend, from 1; 0 for none.
        voice: name of the voice of this lane; empty for a single voice.
        lanes: a state for each voice; empty for a single voice.
    """

    model: str
    labels: tuple[str, ...]
    window: float
    min_speech: float
    source: str
    sample_rate: int
    seconds: float = 0.0
    state: State | None = None
    headline: Headline | None = None
    evidence: float = 0.0
    since_speech: float | None = None
    probabilities: tuple[float, ...] | None = None
    raw: tuple[float, ...] | None = None
    activation: float | None = None
    valence: float | None = None
    prosody: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    level: Level = field(default_factory=Level)
    spectrogram: tuple[bytes, ...] = ()
    highest: float = 8000.0
    latency: tuple[float, float] | None = None
    cpu: float | None = None
    overflows: int = 0
    skipped: int = 0
    recording: bool = False
    marks: int = 0
    baseline: str = ""
    learning: str = ""
    enrolling: str = ""
    intended: str = ""
    message: str = ""
    connected: bool = True
    paused: bool = False
    spectrogram_on: bool = True
    telemetry_on: bool = False
    help_page: int = 0
    voice: str = ""
    lanes: tuple[DashboardState, ...] = ()

    @property
    def last_minute(self) -> LastMinute:
        """The predictions of the last minute."""
        return LastMinute(self.labels, self.moments)
