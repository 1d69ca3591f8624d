"""An utterance of a recording is measured against what is said before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from live_ser.audio.blocks import Samples
from live_ser.frontend.dc_blocker import block_dc
from live_ser.frontend.features import Frames, log_mel
from live_ser.frontend.gate import CHUNK_SECONDS, frame_range, speech_mask
from live_ser.inference.lookahead import HORIZON
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Segment
from live_ser.model.onnx_model import EmotionModel
from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

RATE = 16_000
SPEC = tiny_baseline()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> EmotionModel:
    """It measures voices against a baseline; of each emotion it thinks that it adds nothing."""
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    return EmotionModel(write_model(path, tiny_info(baseline=SPEC)))


@pytest.fixture(scope="module")
def sound(speech: Path) -> Samples:
    """Two sentences, a second and a quarter between them."""
    samples, rate = soundfile.read(speech, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


def segments(model: EmotionModel, *parts: Samples) -> list[Segment]:
    found = analyse(model, parts, segments=True)
    return [one for one in found if isinstance(one, Segment)]


def frames_of(model: EmotionModel, sound: Samples, segment: Segment) -> Frames:
    first, stop = round(segment.start / CHUNK_SECONDS), round(segment.end / CHUNK_SECONDS)
    own = np.zeros_like(speech_mask(sound, RATE, model.info.gate))
    own[first:stop] = True
    frames = log_mel(block_dc(sound, RATE), model.info.features)
    begin, end = frame_range(own, model.info.features.hop_length / RATE, len(frames))
    return frames[begin:end]


def measured_against(
    model: EmotionModel, sound: Samples, segment: Segment, other: Segment
) -> list[float]:
    """What is said of a segment where one other was heard, and a typical voice."""
    voice = model.predict(frames_of(model, sound, other)).voice
    assert voice is not None
    seconds = other.end - other.start
    baseline = np.asarray(voice * seconds / (seconds + SPEC.typical), np.float32)
    said = model.predict(frames_of(model, sound, segment), baseline).probabilities
    return [float(one) for one in said]


def said(segment: Segment) -> list[float]:
    return list((segment.probabilities or {}).values())


def test_each_of_two_utterances_is_measured_against_the_other(
    model: EmotionModel, sound: Samples
) -> None:
    first, second = segments(model, sound)
    assert said(first) == pytest.approx(measured_against(model, sound, first, second), abs=1e-4)
    assert said(second) == pytest.approx(measured_against(model, sound, second, first), abs=1e-4)


def test_a_single_utterance_is_measured_against_a_typical_voice(
    model: EmotionModel, sound: Samples
) -> None:
    first, _ = segments(model, sound)
    (alone,) = segments(model, sound[: round((first.end + 0.3) * RATE)])
    alone_said = model.predict(frames_of(model, sound, first)).probabilities
    assert said(alone) == pytest.approx(alone_said, abs=1e-4)
    assert said(alone) != pytest.approx(said(first), abs=1e-3)


def test_an_utterance_waits_for_two_minutes_and_no_longer(
    model: EmotionModel, sound: Samples
) -> None:
    heard = 0.0

    def blocks() -> Iterator[Samples]:
        nonlocal heard
        pause = np.zeros(round(HORIZON * RATE), np.float32)
        for part in (sound, pause, sound, sound):
            for start in range(0, len(part), RATE):
                heard += 1
                yield part[start : start + RATE]

    first, second = segments(model, sound)
    found = analyse(model, blocks(), segments=True)
    early = next(found), next(found)
    before = heard
    late = list(found)
    assert before < heard  # they were given before all of it was heard
    for one, wanted in zip(early, (first, second), strict=True):
        assert isinstance(one, Segment)
        assert said(one) == pytest.approx(said(wanted), abs=1e-4)
    assert len(late) == 5  # four utterances, and the verdict
