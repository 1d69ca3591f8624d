"""What several tests need: a tiny model, real speech, a sound server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import settings

from live_ser.audio.blocks import Samples
from tests.support import sound_server
from tests.support.command import live_ser_process
from tests.support.sound_server import SoundServer
from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

pytest_plugins = ["pytester", "tests.support.real_time"]

# How long an example takes is no promise: a busy machine takes its time.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

ONE_WORKER = {
    *("test_bad_input", "test_dask_cluster", "test_evaluate", "test_protocols", "test_training"),
    "test_wheel",
}


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they need; say which run one after another, in one worker.

    Those with a sound server do, and those of a file whose fixtures take longer than its tests.
    """
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if (file := item.path.stem) in ONE_WORKER:
            item.add_marker(pytest.mark.xdist_group(file))
        if "_server" in fixtures:
            item.add_marker(pytest.mark.audio)
            item.add_marker(pytest.mark.real_time)
            item.add_marker(pytest.mark.xdist_group("audio"))
        if "_impatient" in fixtures:
            item.add_marker(pytest.mark.real_time)
        if "data" in fixtures:
            item.add_marker(pytest.mark.corpora)


@pytest.fixture(scope="session", autouse=True)
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of the developer who runs the tests, which no test sees.

    Nothing that they have set for themselves, in variables or in files, changes what a test gets.
    """
    environment = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        for name in environment:
            kept = name in ("LIVE_SER_DATA", "XDG_RUNTIME_DIR")
            if name.startswith(("LIVE_SER_", "XDG_")) and not kept:
                patch.delenv(name)
        _move(patch, tmp_path_factory.mktemp("home"))
        yield environment


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of the test's user, which is empty."""
    folder = tmp_path_factory.mktemp("home")
    _move(monkeypatch, folder)
    return folder


def _move(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in ("HOME", "USERPROFILE", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
        patch.setenv(name, str(home))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a tiny model that needs no training."""
    return write_model(tmp_path_factory.mktemp("model") / "tiny.onnx", tiny_info())


@pytest.fixture(scope="session")
def against_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that measures voices against a baseline."""
    folder = tmp_path_factory.mktemp("model")
    return write_model(folder / "tiny.onnx", tiny_info(baseline=tiny_baseline()))


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds or so of synthesised speech with pauses, 48 kHz, mono, FLAC."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks for this test, is not installed")
    folder = tmp_path_factory.mktemp("speech")
    parts: list[Samples] = [np.zeros(24000, np.float32)]
    for index, text in enumerate(["Kids are talking by the door", "Dogs are sitting by the door"]):
        part = folder / f"{index}.wav"
        pitch, speed = ("60", "140") if index else ("40", "120")
        command = ["espeak-ng", "-v", "en", "-p", pitch, "-s", speed, "-w", str(part), text]
        subprocess.run(command, check=True)
        sound, rate = soundfile.read(part, dtype="float32")
        parts += [soxr.resample(sound, rate, 48000), np.zeros(60000, np.float32)]
    path = folder / "speech.flac"
    soundfile.write(path, np.concatenate(parts), 48000)
    return path


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the speech corpora."""
    folder = os.environ.get("LIVE_SER_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("LIVE_SER_DATA names no folder of speech corpora")
    return Path(folder)


@pytest.fixture
def at_rate(speech: Path, tmp_path: Path) -> Callable[[int], Path]:
    """The speech as a WAV file of another rate."""

    def write(rate: int) -> Path:
        sound, native = soundfile.read(speech, dtype="float32")
        path = tmp_path / f"speech-{rate}.wav"
        soundfile.write(path, soxr.resample(sound, native, rate), rate, subtype="FLOAT")
        return path

    return write


@pytest.fixture(scope="session")
def no_microphone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which there is no input device, as in a container."""
    folder = tmp_path_factory.mktemp("container")
    nowhere = {"PULSE_SERVER": "unix:/nonexistent", "XDG_RUNTIME_DIR": str(folder)}
    env = {**os.environ, **nowhere}
    if live_ser_process("devices", env=env).returncode == 0:
        pytest.skip("this machine has a microphone that cannot be hidden")
    return env


@pytest.fixture(scope="session")
def _server() -> Iterator[SoundServer]:
    if not sys.platform.startswith("linux"):
        pytest.skip("the private sound server needs ALSA and PulseAudio")
    if (program := sound_server.missing()) is not None:
        pytest.skip(f"{program} is not installed")
    with sound_server.sound_server() as server:
        microphone = server.plug_in("room")
        if live_ser_process("devices", env=server.env).returncode != 0:
            pytest.skip("ALSA's plug-in for PulseAudio is not installed (libasound2-plugins)")
        server.pull_out(microphone)
        yield server


@pytest.fixture
def room(_server: SoundServer) -> Iterator[SoundServer]:
    """A sound server with one microphone, named room."""
    microphone = _server.plug_in("room")
    yield _server
    with suppress(subprocess.CalledProcessError):  # the test may have pulled it out
        _server.pull_out(microphone)


@pytest.fixture(scope="session")
def sentence(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real sentence where the corpora are, a synthesised one elsewhere; it fits a window."""
    folder = os.environ.get("LIVE_SER_DATA")
    if folder and (clips := sorted(Path(folder).glob("ravdess/**/03-01-05-02-01-01-12.*"))):
        return clips[0]
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path_factory.mktemp("sentence") / "sentence.wav"
    soundfile.write(path, samples[: 3 * rate], rate)
    return path
