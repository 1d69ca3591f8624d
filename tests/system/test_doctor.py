"""``live-ser doctor`` finds what is wrong, says what to do, and succeeds where ``listen`` would."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.cli.examination import Finding, examine_sound
from live_ser.model.onnx_model import EmotionModel
from tests.support.command import live_ser_process
from tests.support.sound_server import SoundServer

RATE = 16000


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> EmotionModel:
    return EmotionModel(tiny_model)


@pytest.fixture
def voice(sentence: Path) -> Samples:
    """A sentence in a quiet room, at 16 kHz."""
    samples, rate = soundfile.read(sentence, dtype="float32", always_2d=True)
    voice = soxr.resample(samples.mean(axis=1), rate, RATE)
    voice *= 0.3 / np.abs(voice).max()
    return np.asarray(voice + np.random.default_rng(0).normal(0, 1e-4, len(voice)), np.float32)


def notes(samples: NDArray[np.floating[Any]], model: EmotionModel) -> list[Finding]:
    findings = list(examine_sound(np.asarray(samples, np.float32), model))
    assert all(finding.advice for finding in findings if finding.verdict != "ok")
    return [finding for finding in findings if finding.verdict != "ok"]


def test_a_good_microphone_has_nothing_to_note(voice: Samples, model: EmotionModel) -> None:
    assert notes(voice, model) == []
    said = " ".join(finding.text for finding in examine_sound(voice, model))
    for word in ("level", "noise floor", "clipping", "DC offset", "bandwidth", "speech found"):
        assert word in said


def test_digital_silence_fails(model: EmotionModel) -> None:
    (finding,) = notes(np.zeros(3 * RATE), model)
    assert finding.verdict == "fail"
    assert "digital silence" in finding.text
    assert "privacy settings" in finding.advice
    assert notes(np.full(3 * RATE, 0.1), model) == [finding]


def test_a_telephone_is_named(voice: Samples, model: EmotionModel) -> None:
    narrow = soxr.resample(soxr.resample(voice, RATE, 8000), 8000, RATE)
    (finding,) = notes(narrow, model)
    assert "telephone" in finding.text


def test_clipping_is_noted(voice: Samples, model: EmotionModel) -> None:
    assert any("clips" in finding.text for finding in notes(np.clip(20 * voice, -1, 1), model))


def test_an_offset_is_noted(voice: Samples, model: EmotionModel) -> None:
    (finding,) = notes(voice + 0.1, model)
    assert "DC offset of 10.0 %" in finding.text


def test_a_noisy_room_is_noted(voice: Samples, model: EmotionModel) -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, len(voice))
    assert any("noise floor" in finding.text for finding in notes(voice + noise, model))


@pytest.mark.parametrize("level", [1, 0.3])
def test_hum_nearly_as_loud_as_speech_is_noted(
    voice: Samples, model: EmotionModel, level: float
) -> None:
    time = np.arange(len(voice)) / RATE
    hum = sum(np.sin(2 * np.pi * 50 * part * time) / part for part in range(1, 10))
    hummed = voice + voice.std() / np.std(hum) * hum
    (finding,) = notes(level * 0.1 * hummed, model)
    assert "speech is only" in finding.text
    assert "what hums" in finding.advice


def test_a_room_without_speech_is_noted(model: EmotionModel) -> None:
    noise = np.random.default_rng(1).normal(0, 1e-3, 3 * RATE)
    (finding,) = notes(noise, model)
    assert finding.text == "no speech found"


@contextmanager
def playing(server: SoundServer, clip: Path, name: str) -> Iterator[None]:
    """Play a clip over and over."""
    over = threading.Event()

    def play() -> None:
        while not over.is_set():
            try:
                server.play(clip, name)
            except subprocess.CalledProcessError:
                return

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_where_listen_would_work_it_succeeds(
    room: SoundServer, tiny_model: Path, sentence: Path
) -> None:
    with playing(room, sentence, "room"):
        run = live_ser_process("doctor", "-d", "room", "--model", tiny_model, env=room.env)
    assert run.returncode == 0, run.stdout
    for word in ("Python", "numpy", "PortAudio", "room", "Hz", "model tiny", "latency", "speech"):
        assert word in run.stdout
    assert "fail" not in run.stdout


def test_a_muted_microphone_fails(room: SoundServer, tiny_model: Path) -> None:
    run = live_ser_process("doctor", "-d", "room", "--model", tiny_model, env=room.env)
    assert run.returncode == 1
    assert "digital silence" in run.stdout


def test_a_device_that_is_not_there_fails(room: SoundServer, tiny_model: Path) -> None:
    run = live_ser_process("doctor", "-d", "nothing-like-it", "--model", tiny_model, env=room.env)
    assert run.returncode == 1
    assert "no input device 'nothing-like-it'" in run.stdout


def test_without_a_microphone_it_fails_and_says_what_to_do(
    tiny_model: Path, no_microphone: dict[str, str]
) -> None:
    run = live_ser_process("doctor", "--model", tiny_model, env=no_microphone)
    assert run.returncode == 1
    assert "no microphone was found" in run.stdout
    assert "try:" in run.stdout


def test_a_model_that_does_not_fit_fails_and_the_devices_are_still_examined(
    tmp_path: Path, no_microphone: dict[str, str]
) -> None:
    path = tmp_path / "spoilt.onnx"
    path.write_bytes(b"not a network")
    run = live_ser_process("doctor", "--model", path, env=no_microphone)
    assert run.returncode == 1
    assert "not a model" in run.stdout
    assert "microphone" in run.stdout


@pytest.mark.parametrize(
    ("variable", "value", "found"),
    [
        ("HOP", "zz", "fail  LIVE_SER_HOP sets hop to 'zz': zz is no number"),
        ("HOP", "9", "fail  a hop of 9 s is not between"),
        ("HOP", "0.25", "ok    --hop 0.25, as LIVE_SER_HOP says"),
        ("SMOOTHING", "-3", "fail  smoothing of -3 s is not between"),
        ("PALETTE", "red", "fail  LIVE_SER_PALETTE sets palette to 'red'"),
        ("PROFILE", "anna", "fail  the model tiny uses no speaker baseline, as LIVE_SER_PROFILE"),
    ],
)
def test_a_default_is_judged_as_listen_judges_it(
    tiny_model: Path, no_microphone: dict[str, str], variable: str, value: str, found: str
) -> None:
    env = {**no_microphone, f"LIVE_SER_{variable}": value}
    run = live_ser_process("doctor", "--model", tiny_model, env=env)
    assert run.stdout.startswith(found)


def test_a_default_model_that_is_not_there_fails_and_its_origin_is_named(
    no_microphone: dict[str, str],
) -> None:
    run = live_ser_process("doctor", env={**no_microphone, "LIVE_SER_MODEL": "nope"})
    assert run.returncode == 1
    assert "ok    --model" not in run.stdout
    (line,) = (line for line in run.stdout.splitlines() if line.startswith("fail  no model 'nope'"))
    assert line.endswith("as LIVE_SER_MODEL says")
