"""The decision rule: from probabilities to label, confidence and state."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from live_ser.inference.results import Decision
from live_ser.spec import ModelInfo


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
        info: metadata of the model that judged it.
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
