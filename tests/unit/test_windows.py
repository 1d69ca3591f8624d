"""A window classifies the newest utterance, and only that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from live_ser.audio.blocks import Samples
from live_ser.frontend.stream import FrontEnd
from live_ser.inference.windows import PAUSE_SECONDS, SlidingWindows, Window
from tests.support.tiny_model import tiny_info

RATE = 16000


@pytest.fixture(scope="module")
def sentence(speech: Path) -> Samples:
    """About a second and a half of speech without a pause around it."""
    sound, rate = soundfile.read(speech, dtype="float32")
    sound = soxr.resample(sound, rate, RATE)
    loud = np.flatnonzero(np.abs(sound[: 4 * RATE]) > 0.02)
    return np.asarray(sound[loud[0] : loud[-1]][: round(1.2 * RATE)], np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def last_window(*sound: Samples, onset: float = 0.0) -> Window:
    whole = np.concatenate(sound)
    info = tiny_info(gate=replace(tiny_info().gate, onset=onset))
    front_end, sliding = FrontEnd(info, step=0.5), SlidingWindows(info)
    return [sliding.push(features) for features in front_end.push(whole)][-1]


def test_what_was_said_before_a_long_pause_is_left_out(sentence: Samples) -> None:
    pause = silence(PAUSE_SECONDS + 0.4)
    both = last_window(sentence, pause, sentence[:8000], silence(0.4))
    newest = last_window(silence(len(sentence) / RATE), pause, sentence[:8000], silence(0.4))
    assert both.start == newest.start
    assert 0.2 < newest.evidence < 1.0
    assert both.evidence == pytest.approx(newest.evidence, abs=0.1)
    spoken = both.spoken(0.01)
    assert len(spoken) < 100  # of a second, the newest half of one and what surrounds it
    assert both.speech == pytest.approx(both.evidence / (both.end - both.start))


def test_what_follows_a_pause_is_classified_by_itself_once_it_is_enough(sentence: Samples) -> None:
    pause, begun, most = silence(0.8), sentence[: RATE // 2], sentence[:RATE]
    before = last_window(sentence, pause, onset=0.7)
    little = last_window(sentence, pause, begun, onset=0.7)
    assert little.resumed is None
    assert little.evidence > before.evidence
    enough = last_window(sentence, pause, most, onset=0.7)
    assert enough.resumed == pytest.approx(len(sentence) / RATE + 0.8, abs=0.1)
    assert 0.7 <= enough.evidence <= 1.05


def test_a_short_pause_belongs_to_the_utterance(sentence: Samples) -> None:
    alone = last_window(sentence, silence(PAUSE_SECONDS - 0.6))
    both = last_window(sentence, silence(PAUSE_SECONDS - 0.6), sentence)
    assert both.evidence > 1.5 * alone.evidence


def test_speech_that_ended_long_ago_is_still_dated(sentence: Samples) -> None:
    window = last_window(sentence, silence(PAUSE_SECONDS + 1.0))
    assert window.since_speech is not None
    assert window.since_speech > PAUSE_SECONDS
