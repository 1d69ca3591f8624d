"""The decision rule: what is silence, what is uncertain, and which label stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from live_ser.inference.results import Decision
from live_ser.inference.windows import PAUSE_SECONDS
from live_ser.spec import ModelInfo


def is_silence(evidence: float, since_speech: float | None = 0.0) -> bool:
    """Decide whether a window or recording is silence.

    Args:
        evidence: seconds of speech in it.
        since_speech: seconds from the last speech to its end; None if there never was any.
    """
    return not evidence or since_speech is None or since_speech > PAUSE_SECONDS


def decide(
    info: ModelInfo,
    probabilities: ArrayLike,
    activation: float,
    *,
    evidence: float,
    valence: float | None = None,
    best: int | None = None,
) -> Decision:
    """Decide how a stretch of speech is called.

    Args:
        info: metadata of the model that was used.
        probabilities: float ``[classes]``, summing to 1, in the order of the labels.
        activation: how aroused the voice sounds, 0 to 1.
        evidence: seconds of speech.
        valence: how pleasant the voice sounds, -1 to 1; None where the model does not tell.
        best: index of the label to show; that of the highest probability if None.

    Returns:
        ``uncertain`` where the label's probability is under the model's threshold of abstention,
        ``speech`` elsewhere.
    """
    values = [float(p) for p in np.asarray(probabilities)]
    best = int(np.argmax(values)) if best is None else best
    return Decision(
        state="uncertain" if values[best] < info.abstain else "speech",
        label=info.labels[best],
        confidence=values[best],
        probabilities=dict(zip(info.labels, values, strict=True)),
        activation=activation,
        valence=valence,
        evidence=evidence,
    )
