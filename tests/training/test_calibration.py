"""Calibration: probabilities that hold, from few voices as from many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.recipes.calibration import calibrate, calibrate_together
from training.recipes.config import ArticleConfig
from training.recipes.logits import Logits, softmax

CONFIG = ArticleConfig()


def clips(count: int) -> tuple[Clip, ...]:
    return tuple(
        Clip(Path(f"{i}.wav"), LABELS[i % 7], f"test/{i}", "test", f"test/{i}")
        for i in range(count)
    )


def said(activation: NDArray[np.float64], seed: int = 0) -> Logits:
    rng = np.random.default_rng(seed)
    emotion = rng.normal(0, 1, (len(activation), 7)) + 2 * np.eye(7)[np.arange(len(activation)) % 7]
    return Logits(emotion.astype(np.float32), activation.astype(np.float32))


def test_the_activation_becomes_the_share_of_aroused_voices() -> None:
    voices = clips(3500)
    aroused = np.array([bool(clip.activation) for clip in voices])
    logits = np.random.default_rng(1).normal(np.where(aroused, 3, -1), 2)
    slope, offset = calibrate(said(logits), voices, CONFIG).activation
    # Two normal distributions of one deviation: the log odds are a line, which is known.
    assert slope == pytest.approx((3 - -1) / 2**2, rel=0.1)
    assert offset == pytest.approx(-slope * (3 + -1) / 2, abs=0.15)


def test_a_handful_of_voices_told_apart_without_a_mistake_is_no_certainty() -> None:
    voices = clips(7)
    logits = np.array([1.0 if clip.activation else -1.0 for clip in voices])
    slope, offset = calibrate(said(logits), voices, CONFIG).activation
    assert 0.5 < 1 / (1 + np.exp(-slope - offset)) < 0.95


def test_what_an_emotion_adds_to_a_voice_is_told_from_how_voices_differ() -> None:
    voices = tuple(
        Clip(Path(f"{i}.wav"), LABELS[i % 4], f"test/{i % 3}", "test", f"test/{i}")
        for i in range(12)
    )
    own = np.array([10.0, -20.0, 30.0])[np.arange(12) % 3]
    added = np.array([-3.0, 1.0, 0.0, 2.0])[np.arange(12) % 4]
    voice = np.stack([own + added, own], axis=1).astype(np.float32)
    found = calibrate(replace(said(np.zeros(12)), voice=voice), voices, CONFIG).offsets
    assert found[:4] == [[-3.0, 0.0], [1.0, 0.0], [0.0, 0.0], [2.0, 0.0]]
    assert found[4:] == [[0.0, 0.0]] * 3  # nobody showed them


@pytest.mark.parametrize("seed", range(5))
def test_what_the_network_finds_more_aroused_never_counts_as_calmer(seed: int) -> None:
    voices = clips(14)
    # A network that has learnt nothing, or the wrong way round.
    logits = np.random.default_rng(seed).normal(0, 1, 14) - 2.0 * np.array(
        [bool(clip.activation) for clip in voices]
    )
    slope, _ = calibrate(said(logits), voices, CONFIG).activation
    assert slope > 0


def _shown(honest: NDArray[np.float64], seed: int) -> tuple[Clip, ...]:
    """Clips whose emotions are drawn by the probabilities of some logits."""
    rng = np.random.default_rng(seed)
    raised = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    voices = clips(len(honest))
    acted = [LABELS[rng.choice(7, p=p)] for p in raised]
    return tuple(
        Clip(clip.path, emotion, clip.speaker, clip.corpus, clip.id)
        for clip, emotion in zip(voices, acted, strict=True)
    )


def _logits(emotion: NDArray[np.float64]) -> Logits:
    return Logits(emotion.astype(np.float32), np.zeros(len(emotion), np.float32))


def test_the_temperature_undoes_logits_that_are_too_bold() -> None:
    honest = np.random.default_rng(0).normal(0, 1.5, (2100, 7))
    found = calibrate(_logits(3 * honest), _shown(honest, 1), CONFIG)
    assert found.temperature == pytest.approx(3, rel=0.1)


def test_several_corpora_have_the_mean_of_their_temperatures() -> None:
    honest = np.random.default_rng(0).normal(0, 0.5, (2100, 7))
    both = [(_logits(bold * honest), _shown(honest, 1)) for bold in (1, 1.2)]
    found = calibrate_together(both, CONFIG)
    assert found.temperature == pytest.approx(1.2**0.5, rel=0.1)


def test_no_corpus_is_predicted_with_far_too_much_confidence() -> None:
    honest = np.random.default_rng(0).normal(0, 1.5, (2100, 7))
    easy, hard = _shown(2 * honest, 1), _shown(0.3 * honest, 2)
    temperature = calibrate_together([(_logits(honest), easy), (_logits(honest), hard)], CONFIG)
    p = softmax(honest.astype(np.float32), temperature.temperature)
    right = [LABELS[best] == clip.emotion for best, clip in zip(p.argmax(1), hard, strict=True)]
    assert p.max(axis=1).mean() - np.mean(right) == pytest.approx(0.1, abs=0.001)
