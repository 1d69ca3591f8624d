"""How a voice usually sounds: learnt from what is heard, enrolled, kept as numbers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from command import live_ser, records
from conftest import tiny_info, write_model

from live_ser.analysis import judge_clip
from live_ser.baseline import RunningBaseline, Sums
from live_ser.features import log_mel
from live_ser.model import load
from live_ser.monitor import Monitor
from live_ser.sources import audio_file
from live_ser.spec import BaselineSpec

SPEC = BaselineSpec(floor_db=20, min_speech=1.5, memory=60)


@pytest.fixture(scope="module")
def against_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that measures voices against a baseline."""
    return write_model(tmp_path_factory.mktemp("model") / "tiny.onnx", tiny_info(baseline=SPEC))


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment in which profiles are kept in a folder of the test's own."""
    folders = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA")}
    return {**os.environ, **folders}


def frames_of(path: Path, rate: int = 16000) -> np.ndarray:
    with audio_file(path, rate) as blocks:
        return log_mel(np.concatenate(list(blocks)), tiny_info().features)


def test_the_metadata_of_a_baseline_travels(against_model: Path) -> None:
    assert load(against_model).info.baseline == SPEC


def test_it_is_used_once_enough_was_heard(against_model: Path, speech: Path) -> None:
    with audio_file(speech, 16000) as blocks:
        windows = list(Monitor(load(against_model), blocks, smoothing=0))
    used = [window.baseline for window in windows if window.state == "speech"]
    assert used[0] is None
    assert used[-1] is not None
    assert used[-1] >= SPEC.min_speech


def test_blocks_of_any_size_give_the_same(against_model: Path, speech: Path) -> None:
    model = load(against_model)
    with audio_file(speech, 16000) as blocks:
        sound = np.concatenate(list(blocks))
    whole, parts = (
        [window.raw for window in Monitor(model, np.split(sound, cuts))]
        for cuts in ([], range(777, len(sound), 777))
    )
    assert whole == parts


def test_it_is_the_mean_of_the_speech_and_forgets_slowly(speech: Path) -> None:
    frames = frames_of(speech)
    running = RunningBaseline(SPEC, tiny_info().features)
    running.hear(frames, len(frames) / 100)
    assert running.statistics is not None
    np.testing.assert_allclose(running.statistics, Sums.of(frames, 20).statistics)
    for minute in range(1, 10):
        running.hear(frames + 6, 60.0 * minute + len(frames) / 100)
    assert running.seconds == pytest.approx(SPEC.memory)
    louder = running.statistics[0] - Sums.of(frames, 20).statistics[0]
    assert (louder > 3).all()
    assert (louder < 6).all()


def test_what_was_heard_before_is_not_counted_twice(speech: Path) -> None:
    frames = frames_of(speech)
    running = RunningBaseline(SPEC, tiny_info().features)
    running.hear(frames[:300], 3.0)
    running.hear(frames[50:350], 3.5)
    running.hear(frames[50:350], 3.5)
    assert running.seconds == pytest.approx(3.5)


def test_a_level_apart_is_heard_against_the_baseline(against_model: Path, speech: Path) -> None:
    model = load(against_model)
    frames = frames_of(speech)
    usual = Sums.of(frames, SPEC.floor_db).statistics.astype(np.float32)
    by_itself = model.judge(frames).probabilities
    against = model.judge(frames, usual).probabilities
    assert np.abs(by_itself - against).max() > 1e-3


def test_a_long_clip_is_measured_against_its_own_beginning(
    against_model: Path, speech: Path
) -> None:
    with audio_file(speech, 16000) as blocks:
        verdict = judge_clip(load(against_model), blocks)
    assert verdict.state == "speech"


def test_enrolment_comes_first(against_model: Path, speech: Path) -> None:
    features = tiny_info().features
    baseline = RunningBaseline(SPEC, features, enrol=2.5)
    with audio_file(speech, 16000) as blocks:
        windows = list(Monitor(load(against_model), blocks, baseline=baseline))
    used = [window.baseline for window in windows if window.baseline is not None]
    assert not baseline.enrolling
    assert used
    assert min(used) >= 2.5
    assert max(used) <= baseline.seconds < baseline.weight  # enrolled speech counts for more


def test_a_profile_is_kept_and_taken_up_again(
    against_model: Path, speech: Path, home: dict[str, str]
) -> None:
    command = ["listen", "--from", speech, "--speed", "0", "--format", "jsonl"]
    command += ["--model", against_model, "--profile", "anna"]
    first = live_ser(*command, env=home)
    assert first.returncode == 0, first.stderr
    (path,) = Path(home["HOME"]).rglob("anna.json")
    assert str(path) in first.stderr
    kept = json.loads(path.read_text())
    assert len(kept["mean_db"]) == len(kept["deviation_db"]) == 16
    assert path.stat().st_size < 4000
    second = live_ser(*command, env=home)
    judged = [one for one in records(second.stdout) if one.get("probabilities")]
    assert judged[0]["baseline"] == pytest.approx(kept["seconds"], abs=0.1)
    assert json.loads(path.read_text())["seconds"] > kept["seconds"]
    del kept["weight"]  # as profiles were at first
    path.write_text(json.dumps(kept))
    assert live_ser(*command, env=home).returncode == 0


@pytest.mark.parametrize(
    "content",
    ["", "not JSON", "[]", '{"schema": 1}', '{"schema": 2}', "[" * 100_000, "long" * 2**19],
)
def test_a_spoilt_profile_is_named_and_left_as_it_is(
    against_model: Path, speech: Path, home: dict[str, str], content: str
) -> None:
    command = ["listen", "--from", speech, "--speed", "0", "--format", "jsonl"]
    command += ["--model", against_model, "--profile", "anna"]
    live_ser(*command, env=home)
    (path,) = Path(home["HOME"]).rglob("anna.json")
    path.write_text(content)
    spoilt = live_ser(*command, env=home)
    assert spoilt.returncode == 1
    assert "is no profile" in spoilt.stderr
    assert "Traceback" not in spoilt.stderr
    assert path.read_text() == content


def test_a_profile_of_other_features_is_refused(
    against_model: Path, speech: Path, home: dict[str, str], tmp_path: Path
) -> None:
    other = write_model(
        tmp_path / "other.onnx",
        tiny_info(baseline=BaselineSpec(floor_db=30, min_speech=1.5, memory=60)),
    )
    command = ["listen", "--from", speech, "--speed", "0", "--profile", "anna", "--model"]
    assert live_ser(*command, against_model, env=home).returncode == 0
    refused = live_ser(*command, other, env=home)
    assert refused.returncode == 1
    assert "another model's features" in refused.stderr


@pytest.mark.parametrize("name", ["../anna", "", "a/b", ".hidden", "a" * 100])
def test_a_profile_s_name_is_no_path(
    against_model: Path, speech: Path, home: dict[str, str], name: str
) -> None:
    command = ["listen", "--from", speech, "--model", against_model, "--profile", name]
    refused = live_ser(*command, env=home)
    assert refused.returncode == 2
    assert "no name for a profile" in refused.stderr
    assert not list(Path(home["HOME"]).rglob("*.json"))


@pytest.mark.parametrize("option", [("--enroll", "5"), ("--profile", "anna")])
def test_a_model_that_takes_none_says_so(
    tiny_model: Path, speech: Path, option: tuple[str, str]
) -> None:
    refused = live_ser("listen", "--from", speech, "--model", tiny_model, *option)
    assert refused.returncode == 1
    assert "judges every voice by itself" in refused.stderr


def test_the_network_measures_as_the_runtime_does() -> None:
    pytest.importorskip("keras")
    from training.network import Against, WindowNorm

    frames = np.random.default_rng(0).normal(-40, 12, (200, 16)).astype(np.float32)
    usual = Sums.of(frames, 20).statistics.astype(np.float32)
    _, statistics = WindowNorm(floor=20)(frames[np.newaxis])
    np.testing.assert_allclose(np.asarray(statistics)[0], usual, atol=1e-3)
    nothing = np.asarray(Against()(statistics, np.zeros((1, 2, 16), np.float32)))
    assert not nothing.any()
    louder = np.asarray(Against()(statistics, usual[np.newaxis] - [[[5.0], [0.0]]]))[0]
    np.testing.assert_allclose(louder, [*np.ones(16), *np.zeros(16)], atol=1e-2)
