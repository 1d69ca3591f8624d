"""Valence from the probabilities of emotions, and what makes its 0 the neutral point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")

from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.networks.valence import calibrate_valence, valence_of

NEVER_MIND = (1.0, 0.0)


def probabilities(**given: float) -> list[float]:
    rest = (1 - sum(given.values())) / (len(LABELS) - len(given))
    return [given.get(label, rest) for label in LABELS]


def clips(*emotions: str) -> list[Clip]:
    return [
        Clip(Path(f"{place}.wav"), emotion, f"x/{place % 2}", "x", f"x/{place}")
        for place, emotion in enumerate(emotions)
    ]


def test_happy_is_above_neutral_and_every_unpleasant_emotion_below() -> None:
    rows = [probabilities(**{label: 0.7}) for label in LABELS]
    said = dict(zip(LABELS, valence_of(np.array(rows), NEVER_MIND), strict=True))
    assert all(-1 <= one <= 1 for one in said.values())
    unpleasant = ("sad", "angry", "fearful", "disgust")
    assert all(said[one] < said["neutral"] < said["happy"] for one in unpleasant)


def test_surprise_says_nothing_of_it() -> None:
    rows = [probabilities(surprised=share) for share in (0.2, 0.9)]
    few, many = valence_of(np.array(rows), NEVER_MIND)
    assert few == pytest.approx(many, abs=1e-4)


def test_zero_is_what_neutral_voices_have() -> None:
    rows = np.array(
        [
            *(probabilities(happy=p) for p in (0.5, 0.6, 0.3)),
            *(probabilities(angry=p) for p in (0.5, 0.6, 0.3)),
            *(probabilities(angry=p) for p in (0.3, 0.35)),
        ]
    )
    known = clips(*["happy"] * 3, *["angry"] * 3, *["neutral"] * 2)
    said = valence_of(rows, calibrate_valence(rows, known))
    assert said[6:].mean() == pytest.approx(0, abs=0.02)
    assert said[:3].min() > 0.2
    assert said[3:5].max() < -0.1


def test_clips_without_a_pleasant_emotion_calibrate_nothing() -> None:
    rows = np.array([probabilities(angry=0.6), probabilities(neutral=0.6)])
    assert calibrate_valence(rows, clips("angry", "neutral")) == (1.0, 0.0)


def test_what_certainly_is_neither_has_a_valence_too() -> None:
    rows = np.array([[float(label == "surprised") for label in LABELS]])
    assert valence_of(rows, NEVER_MIND)[0] == pytest.approx(0)
