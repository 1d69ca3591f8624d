"""The constant offset that a sound card adds changes no result."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import live_ser
from live_ser import Model, Prediction
from live_ser.audio.blocks import Samples
from live_ser.audio.sources import audio_file, microphone
from live_ser.cli.attempt import Attempt
from live_ser.dashboard.meters import Meter, Spectrogram
from live_ser.frontend.dc_blocker import DCBlocker
from live_ser.inference.monitor import Monitor
from tests.support.command import live_ser as command_line
from tests.support.scripted_microphone import ScriptedMicrophone, in_blocks
from tests.support.tiny_model import tiny_info

RATE = 16000
PAGE = Path(live_ser.__file__).parent / "server" / "page"
OFFSETS = pytest.mark.parametrize("offset", [0.1, -0.3])


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return live_ser.load(tiny_model)


def in_a_room(path: Path) -> Samples:
    """Sentences with pauses, in a quiet room."""
    samples, _ = soundfile.read(path, dtype="float32")
    room = np.random.default_rng(0).normal(0, 2e-4, len(samples))
    return np.asarray(samples * (0.13 / np.abs(samples).max()) + room, np.float32)


@pytest.fixture
def voice(at_rate: Callable[[int], Path]) -> Samples:
    return in_a_room(at_rate(RATE))


def shifted(samples: Samples, offset: float) -> Samples:
    return samples + np.float32(offset)


def assert_alike(some: list[Prediction], others: list[Prediction]) -> None:
    assert [(one.end, one.state, one.label) for one in some] == [
        (one.end, one.state, one.label) for one in others
    ]
    for one, other in zip(some, others, strict=True):
        # At its first sample and after its last one, a resampler hears a step of the offset.
        assert max(one.level_db, -65) == pytest.approx(max(other.level_db, -65), abs=0.1)
        assert (one.raw or {}) == pytest.approx(other.raw or {}, abs=0.01)
        assert (one.prosody is None) == (other.prosody is None)
        if one.prosody and other.prosody:
            assert one.prosody.pitch == pytest.approx(other.prosody.pitch, rel=1e-3)
            assert one.prosody.loudness == pytest.approx(other.prosody.loudness, abs=0.5)


@OFFSETS
@pytest.mark.parametrize("level", [1, 0.03])
def test_an_offset_changes_no_result(
    model: Model, voice: Samples, offset: float, level: float
) -> None:
    quiet = np.float32(level) * voice
    expected = model.timeline(quiet, RATE)
    assert {"speech", "silence"} <= {one.state for one in expected}
    assert_alike(model.timeline(shifted(quiet, offset), RATE), expected)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_every_way_in_is_rid_of_it(
    model: Model, at_rate: Callable[[int], Path], tmp_path: Path, rate: int
) -> None:
    samples = in_a_room(at_rate(rate))
    path = tmp_path / "offset.wav"
    soundfile.write(path, shifted(samples, 0.1), rate, subtype="FLOAT")
    expected = model.timeline(samples, rate)
    assert_alike(model.timeline(path), expected)

    stream = model.stream(rate=rate)
    fed = [one for block in in_blocks(shifted(samples, 0.1), 999) for one in stream.feed(block)]
    assert_alike(fed, expected[: len(fed)])

    script = ScriptedMicrophone(rate, in_blocks(shifted(samples, 0.1), rate))
    with microphone(None, RATE, opener=script, reconnect=False) as mic:
        monitor = iter(Monitor(model.network, iter(mic)))
        assert_alike([next(monitor) for _ in expected[:-2]], expected[:-2])


@OFFSETS
def test_an_offset_alone_is_silence(model: Model, offset: float) -> None:
    constant = np.full(2 * RATE, offset, np.float32)
    assert model.predict(constant, RATE).state == "silence"
    assert {one.level_db for one in model.timeline(constant, RATE)} == {-120}
    assert not live_ser.speech_mask(constant, RATE, model.info.gate).any()


def test_an_offset_that_comes_goes_or_drifts_costs_no_speech(voice: Samples) -> None:
    gate = live_ser.load().info.gate
    expected = live_ser.speech_mask(voice, RATE, gate)
    assert expected.sum() > 60
    seconds = np.arange(len(voice)) / RATE
    for offset in (
        0.1 * (seconds > 0.3),  # zeros at first, as from a device that starts
        0.1 * (seconds < 2.9),  # unplugged in a pause
        0.02 * seconds,
    ):
        mask = live_ser.speech_mask((voice + offset).astype(np.float32), RATE, gate)
        assert (mask != expected).sum() <= 0.03 * expected.sum()


def test_the_first_sample_is_rid_of_it_and_voices_keep_their_level() -> None:
    time = np.arange(2 * RATE) / RATE
    for hertz, most in ((80, 0.02), (1000, 1e-3)):
        tone = (0.1 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
        blocked = live_ser.block_dc(shifted(tone, 0.2), RATE)
        np.testing.assert_allclose(blocked, live_ser.block_dc(tone, RATE), atol=1e-6)
        lost = 20 * np.log10(tone[RATE:].std() / blocked[RATE:].std())
        assert 0 <= lost + 1e-4 < most
    assert np.abs(live_ser.block_dc(np.full(RATE, 0.2, np.float32), RATE)).max() < 1e-7


@given(st.lists(st.integers(0, 20_000), max_size=8))
def test_the_size_of_the_blocks_changes_nothing(sizes: list[int]) -> None:
    sound = np.random.default_rng(0).normal(0.1, 0.1, 40_000).astype(np.float32)
    blocker = DCBlocker(RATE)
    pieces = [blocker.push(part) for part in np.split(sound, np.cumsum(sizes))]
    np.testing.assert_allclose(np.concatenate(pieces), live_ser.block_dc(sound, RATE), atol=1e-7)


def test_the_level_meter_and_the_spectrogram_do_not_show_it(voice: Samples) -> None:
    quiet = 1e-3 * voice[:RATE]
    meters, spectrograms = [], []
    for sound in (quiet, shifted(quiet, 0.2)):
        meters.append(Meter(RATE))
        meters[-1].push(sound, 1.0)
        spectrograms.append(Spectrogram(tiny_info().features))
        spectrograms[-1].push(sound)
    plain, offset = (meter.level() for meter in meters)
    assert offset.rms == pytest.approx(plain.rms, abs=0.5)
    assert offset.peak == pytest.approx(plain.peak, abs=0.5)
    of_plain, of_offset = (
        np.frombuffer(b"".join(one.columns()), np.uint8).astype(int) for one in spectrograms
    )
    assert np.abs(of_plain - of_offset).max() <= 4  # 1 dB


def test_the_level_on_the_page_does_not_show_it(tmp_path: Path) -> None:
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not installed")
    (tmp_path / "sound.mjs").write_text((PAGE / "sound.js").read_text())
    script = """
        import { BrowserMicrophone } from "./sound.mjs";
        globalThis.WebSocket = { OPEN: 1 };
        const microphone = new BrowserMicrophone({ onLevel: (decibels) => console.log(decibels) });
        microphone.socket = { readyState: 1, send() {} };
        const tone = Array.from({ length: 4800 }, (_, i) => 328 * Math.sin(i / 10));
        for (const offset of [0, 3277]) {
            microphone.block(Int16Array.from(tone, (sample) => sample + offset).buffer);
        }
    """
    command = [node, "--input-type=module", "-e", script]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    plain, offset = map(float, run.stdout.split())
    assert plain == pytest.approx(-43, abs=0.1)
    assert offset == pytest.approx(plain, abs=0.1)


def test_clipping_is_that_of_the_sound_as_captured(voice: Samples) -> None:
    pushed = np.minimum(voice + np.float32(0.95), 1)
    meter = Meter(RATE)
    meter.push(pushed, 1.0)
    assert meter.level().clipped


def test_a_recording_keeps_it(tiny_model: Path, voice: Samples, tmp_path: Path) -> None:
    path, kept = tmp_path / "offset.wav", tmp_path / "kept.wav"
    soundfile.write(path, shifted(voice, 0.1), RATE, subtype="PCM_16")
    options = ["--model", tiny_model, "--speed", "0", "--from", path]
    assert command_line("listen", *options, "--record", kept).returncode == 0
    with audio_file(kept, RATE) as blocks:
        recorded = np.concatenate(list(blocks))
    np.testing.assert_allclose(recorded, shifted(voice, 0.1), atol=1e-4)


@OFFSETS
def test_a_take_is_accepted_as_without_it(offset: float) -> None:
    tone = 0.2 * np.sin(np.arange(2 * RATE) / 10)
    take = np.concatenate([tone, np.zeros(RATE)]).astype(np.float32)
    assert not Attempt([shifted(take, offset)], 2.0).complaint()
    assert "too soft" in Attempt([shifted(1e-4 * take, offset)], 2.0).complaint()


@OFFSETS
def test_channels_out_of_phase_are_heard_whatever_their_offset(
    model: Model, voice: Samples, offset: float
) -> None:
    opposite = np.stack([voice, -voice], axis=1)
    with pytest.warns(UserWarning, match="channels cancel each other out"):
        verdict = model.predict(shifted(opposite, offset), RATE)
    expected = model.predict(voice, RATE)
    assert expected.state == "speech"
    assert (verdict.state, verdict.label) == (expected.state, expected.label)
