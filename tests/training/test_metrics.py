"""Figures of merit say what the field means by their names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

metrics = pytest.importorskip("training.evaluation.metrics")


def test_uar_counts_each_class_alike() -> None:
    truth = [0] * 90 + [1] * 10
    always_zero = [0] * 100
    assert metrics.accuracy(truth, always_zero) == pytest.approx(0.9)
    assert metrics.uar(truth, always_zero, 2) == pytest.approx(0.5)


def test_uar_is_over_the_classes_that_the_clips_bear() -> None:
    assert metrics.uar([0, 0, 1], [0, 0, 1], classes=7) == 1
    assert np.isnan(metrics.recalls([0, 1], [0, 1], 3)[2])


def test_uar_agrees_with_sklearn() -> None:
    from sklearn.metrics import balanced_accuracy_score, confusion_matrix

    rng = np.random.default_rng(0)
    targets, predicted = rng.integers(4, size=(2, 300))
    assert metrics.uar(targets, predicted, 4) == pytest.approx(
        balanced_accuracy_score(targets, predicted)
    )
    assert (metrics.confusion(targets, predicted, 4) == confusion_matrix(targets, predicted)).all()


def test_confident_and_right_as_often_as_said_is_no_error() -> None:
    confidence = np.full(1000, 0.7)
    right = np.arange(1000) < 700
    assert metrics.calibration_error(confidence, right) == pytest.approx(0, abs=1e-9)


def test_certain_and_wrong_is_all_the_error_there_can_be() -> None:
    assert metrics.calibration_error([1.0, 1.0], [False, False]) == 1


def test_ece_weighs_bins_by_their_clips() -> None:
    # Three clips at 0.9 of which all are right, one at 0.5 that is wrong.
    error = metrics.calibration_error([0.9, 0.9, 0.9, 0.5], [True, True, True, False])
    assert error == pytest.approx(0.75 * 0.1 + 0.25 * 0.5)


def test_ece_of_probabilities_is_that_of_their_best_guess() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert metrics.ece([0, 1, 1], p) == pytest.approx(
        metrics.calibration_error([0.9, 0.8, 0.6], [True, True, False])
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_reliability_loses_no_clip(guesses: list[tuple[float, bool]]) -> None:
    confidence, right = zip(*guesses, strict=True)
    rows = metrics.reliability(confidence, right)
    assert sum(row.clips for row in rows) == len(guesses)
    assert sum(row.clips * row.accuracy for row in rows) == pytest.approx(sum(right))
    assert 0 <= metrics.calibration_error(confidence, right) <= 1


def test_the_surest_are_compared_with_all() -> None:
    confidence = np.linspace(0, 1, 10)
    right = confidence > 0.7  # the surest three are right, nobody else
    assert metrics.surest_gain(confidence, right, 0.3) == pytest.approx(1 / 0.3)
    assert metrics.surest_gain(confidence, ~right, 0.3) == 0
    assert metrics.surest_gain(confidence, np.zeros(10, bool), 0.3) == 0


def test_an_interval_over_speakers_is_wider_than_over_clips() -> None:
    # Half the speakers are always understood, half never: 20 clips of each say no more than one.
    speakers = np.repeat(np.arange(10), 20)
    right = speakers % 2 == 0
    low, high = metrics.bootstrap(lambda i: float(right[i].mean()), speakers)
    clip_low, clip_high = metrics.bootstrap(lambda i: float(right[i].mean()), np.arange(200))
    assert low < 0.35
    assert high > 0.65
    assert clip_high - clip_low < 0.5 * (high - low)
    assert (low, high) == metrics.bootstrap(lambda i: float(right[i].mean()), speakers)
