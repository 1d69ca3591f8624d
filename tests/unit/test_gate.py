"""What counts as speech: quiet, shouted and noisy sound, in blocks of any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.frontend.gate import CHUNK_SECONDS, RATE, SpeechGate, speech_mask
from training.corpora.catalogue import read_corpus
from training.data.sound import read_sound
from training.recipes.config import Config

DEMO = Path(__file__).parents[2] / "live_ser" / "demo.flac"
GATE = Config().gate


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Half a minute of speech, float32 ``[n]``."""
    samples: np.ndarray
    samples, rate = soundfile.read(DEMO, dtype="float32")
    assert rate == RATE
    return samples


def test_what_is_under_the_floor_is_no_speech(speech: np.ndarray) -> None:
    gate = SpeechGate(RATE, floor_db=-60)
    assert not gate.push(np.float32(1e-4) * speech).any()
    assert gate.push(speech).max() > 0.9


@pytest.mark.parametrize("block", [100, 512, 5000])
def test_the_gate_hears_the_same_in_blocks_of_any_length(speech: np.ndarray, block: int) -> None:
    # Loud noise and silence move both followers of the gain.
    pause = np.concatenate([_noise(1.0, -20), np.zeros(RATE, np.float32)])
    sound = np.concatenate([speech[: 5 * RATE], pause, speech[5 * RATE : 9 * RATE]])
    gate = SpeechGate(RATE, floor_db=-60)
    parts = [gate.push(sound[i : i + block]) for i in range(0, len(sound), block)]
    whole = SpeechGate(RATE, floor_db=-60).push(sound)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)


@pytest.mark.parametrize("gain_db", [-40, -20, 10])
def test_a_quiet_microphone_is_heard_like_any_other(speech: np.ndarray, gain_db: int) -> None:
    usual = speech_mask(speech, RATE, GATE)
    other = speech_mask(speech * np.float32(10 ** (gain_db / 20)), RATE, GATE)
    assert other.sum() > 0.8 * usual.sum()


@pytest.mark.parametrize(("corpus", "most"), [("ravdess", 0.05), ("banglaser", 0.08)])
def test_most_shouts_are_speech(data: Path, corpus: str, most: float) -> None:
    lost = [_seconds(shout) < GATE.min_speech for shout in _shouts(data, corpus)]
    # Where the gain raises the noise before a shout as far as the voice, 6 and 17 % are lost.
    assert np.mean(lost) < most


def test_noise_before_a_shout_does_not_hide_it(data: Path) -> None:
    shouts, pause = _shouts(data, "ravdess")[::4], _noise(4.0, -65)
    after = sum(_seconds(np.concatenate([pause, shout])) for shout in shouts)
    assert after > 0.97 * sum(map(_seconds, shouts))


def test_little_noise_is_speech(data: Path) -> None:
    noises = [read_sound(path, RATE) for path in sorted((data / "noise" / "esc10").glob("*.ogg"))]
    shares = [np.mean(speech_mask(noise, RATE, GATE)) for noise in noises]
    assert np.mean(shares) < 0.0125  # most of it babies, who cry, and sneezes


def _shouts(data: Path, corpus: str) -> list[np.ndarray]:
    """Women's angry clips."""
    clips = [
        clip
        for clip in read_corpus(corpus, data).clips
        if clip.emotion == "angry" and clip.gender == "f"
    ]
    return [read_sound(clip.path, RATE) for clip in clips]


def _seconds(samples: np.ndarray) -> float:
    """Seconds of speech."""
    return float(np.count_nonzero(speech_mask(samples, RATE, GATE))) * CHUNK_SECONDS


def _noise(seconds: float, level_db: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, 10 ** (level_db / 20), round(seconds * RATE)).astype(np.float32)
