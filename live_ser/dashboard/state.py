"""The state of the dashboard: everything that it shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from live_ser.dashboard.last_minute import Moment
from live_ser.dashboard.meters import Level
from live_ser.inference.results import State
from live_ser.live.headline import Headline


@dataclass(frozen=True)
class DashboardState:
    """Everything that the dashboard shows.

    Attributes:
        model: name of the model.
        labels: its emotions, in its order.
        window: seconds that a prediction hears at most.
        min_speech: seconds of speech under which nothing is judged.
        source: name of the device or file.
        sample_rate: of the device or file, in Hz.
        seconds: of sound heard.
        state: of the newest prediction; None before the first.
        headline: the verdict that stands large; None where there is nothing to show.
        evidence: seconds of speech in the newest window.
        since_speech: seconds since speech was last heard; None if it never was.
        probabilities: smoothed, of the last window that was classified; None before the first.
        raw: of that window alone.
        activation: 0 (calm) to 1, of that window.
        valence: -1 (unpleasant) to 1, of that window; None where the model does not tell.
        prosody: what the voice does, in words; empty where nobody speaks.
        moments: the last minute, oldest first.
        level: of the input.
        spectrogram: columns of the mel spectrogram, oldest first; in each a byte a band, lowest
            band first, 0 (silent) to 255 (loud).
        highest: upper edge of the highest band, in Hz.
        latency: of computing, median and 95th percentile in ms; None before the first.
        cpu: share of one core that the process uses, 0 to 1; None before it is known.
        overflows: times that the device lost sound.
        skipped: windows left out because the machine fell behind.
        recording: whether the sound is recorded.
        marks: moments marked.
        baseline: what the voice is measured against; empty where that is nothing.
        learning: how far the voice is known; empty where it is known, or not needed.
        enrolling: how far it is enrolled; empty where it is not being enrolled.
        intended: intended emotion now, in a demonstration; empty elsewhere.
        message: what has to be said just now.
        connected: whether the source gives sound.
        paused: whether the user paused.
        spectrogram_on: whether the spectrogram is shown.
        telemetry_on: whether telemetry is shown, even if all is as it should be.
        help_page: page of the legend that is shown, from 1; 0 for none.
        voice: name of the speaker of this lane; empty where there is but one voice.
        lanes: a state for each voice, where several are classified separately; none elsewhere.
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
    prosody: str = ""
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
