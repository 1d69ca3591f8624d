"""Log-mel frames are librosa's, and the same however the sound arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.frontend.features import FrameStream, log_mel
from live_ser.spec import FeatureSpec, pack_matrix
from tests.support.tiny_model import tiny_info


@pytest.fixture
def sound(at_rate: Callable[[int], Path]) -> Samples:
    samples, _ = soundfile.read(at_rate(16000), dtype="float32")
    return np.asarray(samples, np.float32)


def specs() -> list[FeatureSpec]:
    librosa = pytest.importorskip("librosa")
    tiny = tiny_info().features
    article = replace(
        tiny,
        n_fft=2048,
        win_length=2048,
        hop_length=512,
        n_mels=64,
        mel_basis=pack_matrix(
            librosa.filters.mel(sr=16000, n_fft=2048, n_mels=64, fmin=50, fmax=8000)
        ),
    )
    short_window = replace(
        tiny,
        n_fft=512,
        win_length=400,
        mel_basis=pack_matrix(
            librosa.filters.mel(sr=16000, n_fft=512, n_mels=16, fmin=50, fmax=8000)
        ),
    )
    return [tiny, article, short_window]


@pytest.mark.parametrize("index", range(3))
def test_log_mel_is_librosas_to_a_ten_thousandth_of_a_decibel(sound: Samples, index: int) -> None:
    librosa = pytest.importorskip("librosa")
    spec = specs()[index]
    power = librosa.feature.melspectrogram(
        y=sound.astype(np.float64),
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        win_length=spec.win_length,
        hop_length=spec.hop_length,
        n_mels=spec.n_mels,
        fmin=spec.fmin,
        fmax=spec.fmax,
        center=False,
    )
    expected = librosa.power_to_db(power, ref=1.0, amin=spec.amin, top_db=None).T
    np.testing.assert_allclose(log_mel(sound, spec), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("block", [1, 160, 512, 1000, 4096])
def test_streamed_frames_are_those_of_the_whole(sound: Samples, block: int) -> None:
    spec = tiny_info().features
    heard = sound[: 20 * block] if block == 1 else sound
    stream = FrameStream(spec)
    parts = [stream.push(heard[i : i + block]) for i in range(0, len(heard), block)]
    np.testing.assert_array_equal(np.concatenate(parts), log_mel(heard, spec))


def test_sound_shorter_than_a_frame_has_no_frame() -> None:
    spec = tiny_info().features
    assert log_mel(np.zeros(spec.n_fft - 1, np.float32), spec).shape == (0, spec.n_mels)
    assert log_mel(np.zeros(spec.n_fft, np.float32), spec).shape == (1, spec.n_mels)


def test_digital_silence_has_finite_frames() -> None:
    frames = log_mel(np.zeros(16000, np.float32), tiny_info().features)
    np.testing.assert_array_equal(frames, np.float32(-100.0))
