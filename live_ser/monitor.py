"""The monitor: sound in, one prediction each hop out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

State = Literal["listening", "speech", "silence", "uncertain"]


@dataclass(frozen=True)
class Prediction:
    """One window, judged.

    Attributes:
        start: seconds from the start of the source to the start of the window.
        end: seconds from the start of the source to the end of the window.
        state: ``speech`` (judged), ``uncertain`` (judged, but the model cannot tell),
            ``listening`` (not enough speech yet) or ``silence``.
        label: the emotion; the best guess in ``uncertain``, None in ``silence`` and ``listening``.
        confidence: probability of the label, 0 to 1.
        probabilities: of every label, smoothed over time; None where nothing was judged.
        raw: the same of this window alone.
        activation: how aroused the voice sounds, 0 (calm) to 1, smoothed.
        speech: share of the window that is speech, 0 to 1.
        evidence: seconds of speech in the window.
        since_speech: seconds since speech was last heard; None if it never was.
        level_db: RMS of the newest hop in dB re full scale.
        latency_ms: from the newest block in to the probabilities out.
    """

    start: float
    end: float
    state: State
    label: str | None
    confidence: float | None
    probabilities: Mapping[str, float] | None
    raw: Mapping[str, float] | None
    activation: float | None
    speech: float
    evidence: float
    since_speech: float | None
    level_db: float
    latency_ms: float
