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
import sound_server
import soundfile
import soxr
from command import live_ser
from sound_server import SoundServer

from live_ser.features import Samples
from live_ser.spec import METADATA_KEY, BaselineSpec, FeatureSpec, GateSpec, ModelInfo, pack_matrix

LABELS = ("neutral", "happy", "sad", "angry")


def tiny_info(**changes: object) -> ModelInfo:
    librosa_filters = pytest.importorskip("librosa.filters")
    mel = librosa_filters.mel(sr=16000, n_fft=400, n_mels=16, fmin=50, fmax=8000)
    values: dict[str, object] = {
        "name": "tiny",
        "labels": LABELS,
        "window": 3.5,
        "hop": 0.5,
        "features": FeatureSpec(
            sample_rate=16000,
            n_fft=400,
            win_length=400,
            hop_length=160,
            n_mels=16,
            fmin=50,
            fmax=8000,
            amin=1e-10,
            mel_basis=pack_matrix(mel),
        ),
        "gate": GateSpec(threshold=0.5, floor_db=-70, trim=True, min_speech=0.25),
        "abstain": 0.0,
        "licence": "MIT",
        "provenance": {},
    }
    return ModelInfo(**{**values, **changes})  # type: ignore[arg-type]


def tiny_baseline(
    typical: float = 4.0, memory: float = 60.0, offsets: object = None
) -> BaselineSpec:
    """How a tiny model's baseline is made: of the means of its 16 bands."""
    rows = np.zeros((len(LABELS), 16)) if offsets is None else np.asarray(offsets)
    return BaselineSpec(16, typical, memory, pack_matrix(rows.astype(np.float32)))


def write_model(path: Path, info: ModelInfo) -> Path:
    """A network that hears the mean of each mel band: log_mel -> mean -> matrix -> softmax.

    Where the model takes a baseline, these means are the voice, and the baseline is taken off.
    """
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    mels, classes = info.features.n_mels, len(info.labels)
    rng = np.random.default_rng(0)
    tensors = [
        onnx.numpy_helper.from_array(array, name)
        for name, array in {
            "weights": rng.normal(0, 0.008, (mels, classes)).astype(np.float32),
            "arousal": rng.normal(0, 0.005, (mels, 1)).astype(np.float32),
            "frames_axis": np.array([1], np.int64),
            "last_axis": np.array([1], np.int64),
        }.items()
    ]
    inputs = [helper.make_tensor_value_info("log_mel", floats, ["batch", "frames", mels])]
    outputs = [
        helper.make_tensor_value_info("probabilities", floats, ["batch", classes]),
        helper.make_tensor_value_info("activation", floats, ["batch"]),
    ]
    own = "voice" if info.baseline else "mean"
    nodes = [helper.make_node("ReduceMean", ["log_mel"], [own], axes=[1], keepdims=0)]
    if info.baseline:
        inputs.append(helper.make_tensor_value_info("baseline", floats, ["batch", mels]))
        outputs.append(helper.make_tensor_value_info("voice", floats, ["batch", mels]))
        nodes.append(helper.make_node("Sub", ["voice", "baseline"], ["mean"]))
    nodes += [
        helper.make_node("MatMul", ["mean", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=-1),
        helper.make_node("MatMul", ["mean", "arousal"], ["arousal_column"]),
        helper.make_node("Squeeze", ["arousal_column", "last_axis"], ["arousal_score"]),
        helper.make_node("Sigmoid", ["arousal_score"], ["activation"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        outputs,
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: info.to_json()})
    onnx.save(model, str(path))
    return path


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


@pytest.fixture
def no_microphone(tmp_path: Path) -> dict[str, str]:
    """An environment in which there is no input device, as in a container."""
    nowhere = {"PULSE_SERVER": "unix:/nonexistent", "XDG_RUNTIME_DIR": str(tmp_path)}
    env = {**os.environ, **nowhere}
    if live_ser("devices", env=env).returncode == 0:
        pytest.skip("this machine has a microphone that cannot be hidden")
    return env


@pytest.fixture(scope="session")
def _server() -> Iterator[SoundServer]:
    if not sys.platform.startswith("linux"):
        pytest.skip("the private sound server needs ALSA and PulseAudio")
    if (program := sound_server.missing()) is not None:
        pytest.skip(f"{program} is not installed")
    with sound_server.sound_server() as server:
        yield server


@pytest.fixture
def room(_server: SoundServer) -> Iterator[SoundServer]:
    """A sound server with one microphone, named room."""
    microphone = _server.plug_in("room")
    if live_ser("devices", env=_server.env).returncode != 0:
        pytest.skip("ALSA's plug-in for PulseAudio is not installed (libasound2-plugins)")
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
