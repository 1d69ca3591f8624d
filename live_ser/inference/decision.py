"""The decision rule: silence, uncertain or speech, and the label."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from live_ser.inference.results import Decision
from live_ser.inference.windows import PAUSE_SECONDS
from live_ser.spec import ModelInfo


def is_silence(evidence: float, since_speech: float | None = 0.0) -> bool:
    """Whether a window or recording is silence.

    Args:
        evidence: seconds of speech in it.
        since_speech: seconds from the last speech to its end; None if there was none.
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
    """Decide the state and the label of a stretch of speech.

    Args:
        info: metadata of the model.
        probabilities: float ``[classes]``, summing to 1, in the order of the labels.
        activation: how aroused the voice sounds, 0 to 1.
        evidence: seconds of speech.
        valence: how pleasant the voice sounds, -1 to 1; None for a model without it.
        best: index of the label; None for the most probable one.

    Returns:
        A decision with state ``uncertain`` where the label's probability is below the model's
        abstention threshold, ``speech`` otherwise.
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
