"""Files of every kind are heard alike, and those that cannot be are refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import audio_file, replay
from live_ser.errors import LiveSerError


def heard(path: Path, rate: int = 16000) -> Samples:
    with audio_file(path, rate) as blocks:
        return np.concatenate(list(blocks))


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000])
def test_any_rate_is_resampled_as_in_one_piece(at_rate: Callable[[int], Path], rate: int) -> None:
    path = at_rate(rate)
    whole, _ = soundfile.read(path, dtype="float32")
    expected = soxr.resample(whole, rate, 16000) if rate != 16000 else whole
    np.testing.assert_allclose(heard(path), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("suffix", "precision"),
    [("wav", 1e-4), ("flac", 1e-4), ("aiff", 1e-4), ("ogg", 0.1), ("mp3", 0.2)],
)
def test_every_format_is_read(speech: Path, tmp_path: Path, suffix: str, precision: float) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, samples, rate)
    sound = heard(path, rate)
    assert abs(len(sound) - len(samples)) < 0.1 * rate
    if suffix != "mp3":  # whose encoder delays the sound
        np.testing.assert_allclose(sound, samples, atol=precision)


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.1, (16000, channels)).astype(np.float32)
    path = tmp_path / "many.wav"
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    np.testing.assert_allclose(heard(path), samples.mean(axis=1), atol=1e-6)


def test_a_replay_is_the_file(speech: Path) -> None:
    with replay(speech, 16000, speed=0) as blocks:
        replayed = np.concatenate(list(blocks))
    np.testing.assert_array_equal(replayed, heard(speech))


def test_a_replay_keeps_the_pace_of_the_sound(
    speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: now)
    with replay(speech, 16000, speed=2) as blocks:
        seconds = sum(len(block) for block in blocks if isinstance(block, np.ndarray)) / 16000
    assert now == pytest.approx(seconds / 2)


def test_a_wav_from_a_pipe_which_cannot_know_its_size_is_read(speech: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(speech, dtype="int16")
    path = tmp_path / "piped.wav"
    soundfile.write(path, samples, rate, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(heard(path, rate)) == len(samples)


def test_a_file_whose_name_is_no_text_is_read(speech: Path, tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.flac"
    try:
        path.write_bytes(speech.read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    assert len(heard(path)) == len(heard(speech))


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def write_text(path: Path) -> None:
    path.write_text("not a sound\n" * 100)


def write_zero_samples(path: Path) -> None:
    soundfile.write(path, np.zeros((0, 1)), 16000)


def write_nan(path: Path) -> None:
    samples = np.zeros(16000, np.float32)
    samples[8000] = np.nan
    soundfile.write(path, samples, 16000, subtype="FLOAT")


def write_infinity(path: Path) -> None:
    soundfile.write(path, np.full(16000, np.inf, np.float32), 16000, subtype="FLOAT")


def write_unscaled(path: Path) -> None:
    soundfile.write(path, np.full(16000, 20000, np.float32), 16000, subtype="FLOAT")


def write_slow(path: Path) -> None:
    soundfile.write(path, np.full(16000, 0.1, np.float32), 100)


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "there is no file"),
        (make_folder, "is a folder"),
        (write_nothing, "is empty"),
        (write_text, "is not a sound file"),
        (write_zero_samples, "zero samples"),
        (write_nan, "a sample of nan at 0.50 s"),
        (write_infinity, "a sample of inf at 0.00 s"),
        (write_slow, "100 samples a second"),
        (write_unscaled, "a sample of 20000 at 0.00 s"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_what_to_try(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(LiveSerError) as caught:
        heard(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "mp3"])
@pytest.mark.parametrize("share", [0.3, 0.75])
def test_a_truncated_file_is_refused(
    speech: Path, tmp_path: Path, suffix: str, share: float
) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / f"cut.{suffix}"
    soundfile.write(path, samples, rate)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(LiveSerError, match="truncated"):
        heard(path)
