"""Smoothing is over seconds, whatever the hop, and labels do not flutter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from live_ser.inference.smoothing import FULL_EVIDENCE, STAY, Smoother
from live_ser.model.onnx_model import ModelOutput


def output(first: float, activation: float = 0.5) -> ModelOutput:
    return ModelOutput(np.array([first, 1 - first], np.float32), activation)


def first_after(times: list[float], seconds: float, evidence: list[float] | None = None) -> float:
    """The first probability after a change from 0 to 1 at time 0, which was classified too."""
    smoother = Smoother(seconds)
    heard = evidence or [FULL_EVIDENCE] * (1 + len(times))
    smoother.push(output(0.0), 0.0, heard[0])
    for time, seconds_heard in zip(times, heard[1:], strict=True):
        smooth = smoother.push(output(1.0), time, seconds_heard)
    return float(smooth.probabilities[0])


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.0])
def test_the_constant_is_in_seconds_whatever_the_hop(seconds: float) -> None:
    expected = 1 - math.exp(-2 / seconds)
    for times in ([2.0], [1.0, 2.0], [0.1, 0.3, 1.9, 2.0], list(np.arange(1, 21) / 10)):
        assert first_after(times, seconds) == pytest.approx(expected, abs=1e-6)


def test_zero_is_off() -> None:
    assert first_after([0.01], 0.0) == 1.0


def test_less_speech_moves_less() -> None:
    full = FULL_EVIDENCE
    kept = math.exp(-1)
    third = first_after([1.0], 1.0, [full, full / 3])
    assert third == pytest.approx((1 - kept) / 3 / (kept + (1 - kept) / 3), abs=1e-6)
    assert third < first_after([1.0], 1.0, [full, full])
    assert first_after([1.0], 1.0, [full, 10 * full]) == first_after([1.0], 1.0, [full, full])


def test_a_first_guess_on_little_speech_soon_counts_for_little() -> None:
    scrap, more = FULL_EVIDENCE / 6, FULL_EVIDENCE / 2
    assert first_after([0.5], 1.0, [scrap, more]) > 0.6
    assert first_after([0.5], 1.0, [more, more]) < 0.4


def test_the_first_output_counts_as_it_is_and_again_after_forgetting() -> None:
    smoother = Smoother(1.0)
    assert smoother.push(output(0.9), 5.0, 0.3).probabilities[0] == pytest.approx(0.9)
    smoother.push(output(0.5), 5.5, 0.3)
    smoother.forget()
    assert smoother.push(output(0.1), 6.0, 0.3).probabilities[0] == pytest.approx(0.1)


def test_probabilities_stay_probabilities_and_activation_is_smoothed_too() -> None:
    smoother = Smoother(1.0)
    smoother.push(output(1.0, 1.0), 0.0, 3.0)
    smooth = smoother.push(output(0.0, 0.0), 1.0, 3.0)
    assert smooth.probabilities.sum() == pytest.approx(1.0)
    assert smooth.activation == pytest.approx(smooth.probabilities[0])


def test_the_label_stays_until_another_one_is_clearly_more_probable() -> None:
    smoother = Smoother(1.0)
    ahead, behind = 0.5 + STAY / 4, 0.5 - STAY / 4
    assert smoother.label(np.array([ahead, behind], np.float32)) == 0
    assert smoother.label(np.array([behind, ahead], np.float32)) == 0
    assert smoother.label(np.array([0.5 - STAY, 0.5 + STAY], np.float32)) == 1
    assert smoother.label(np.array([ahead, behind], np.float32)) == 1
    smoother.forget()
    assert smoother.label(np.array([ahead, behind], np.float32)) == 0


def test_a_guess_that_is_not_sure_enough_is_the_most_probable() -> None:
    smoother = Smoother(1.0)
    ahead, behind = 0.5 + STAY / 4, 0.5 - STAY / 4
    assert smoother.label(np.array([ahead, behind], np.float32), 0.49) == 0
    assert smoother.label(np.array([behind, ahead], np.float32), 0.45) == 0
    assert smoother.label(np.array([behind, ahead], np.float32), 0.49) == 1


def test_without_smoothing_the_label_is_the_most_probable() -> None:
    smoother = Smoother(0.0)
    assert smoother.label(np.array([0.51, 0.49], np.float32)) == 0
    assert smoother.label(np.array([0.49, 0.51], np.float32)) == 1
