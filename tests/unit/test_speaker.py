"""How a voice usually sounds: learnt from what is heard, enrolled, kept as numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from live_ser.audio.sources import audio_file
from live_ser.errors import InvalidArgument
from live_ser.frontend.features import log_mel
from live_ser.inference.monitor import Monitor
from live_ser.inference.recordings import classify_clip
from live_ser.model.onnx_model import ModelOutput, load
from live_ser.model.profile_file import profile_path
from live_ser.model.speaker import RunningBaseline
from live_ser.spec import BaselineSpec, pack_matrix
from tests.support.command import live_ser, records
from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

SPEC = tiny_baseline()


def running(spec: BaselineSpec = SPEC, *, enrol: float = 0.0) -> RunningBaseline:
    return RunningBaseline(tiny_info(baseline=spec), enrol=enrol)


def said(voice: float, label: int | None = None) -> ModelOutput:
    """A stretch of a voice of so much everywhere, heard as a label for sure, or as anything."""
    probabilities = np.full(4, 0.25) if label is None else np.eye(4)[label]
    return ModelOutput(probabilities.astype(np.float32), 0.5, np.full(16, voice, np.float32))


def test_the_metadata_of_a_baseline_travels(against_model: Path) -> None:
    assert load(against_model).info.baseline == SPEC


def test_the_first_words_are_measured_against_a_typical_voice(
    against_model: Path, speech: Path
) -> None:
    with audio_file(speech, 16000) as blocks:
        windows = list(Monitor(load(against_model), blocks, smoothing=0))
    classified = [window for window in windows if window.raw]
    assert classified[0].baseline is None
    assert classified[-1].baseline is not None
    # No window is measured against speech that it holds itself.
    for window in classified:
        assert (window.baseline or 0) + window.evidence <= classified[-1].end - classified[0].start


def test_blocks_of_any_size_give_the_same(against_model: Path, speech: Path) -> None:
    model = load(against_model)
    with audio_file(speech, 16000) as blocks:
        sound = np.concatenate(list(blocks))
    every: list[list[int]] = [[], list(range(777, len(sound), 777))]
    whole, parts = (
        [window.raw for window in Monitor(model, np.split(sound, cuts))] for cuts in every
    )
    assert whole == parts


def test_the_more_was_heard_the_less_a_typical_voice_counts() -> None:
    baseline = running()
    assert not baseline.before(0).any()
    for second in range(60):
        baseline.update(said(1.0), second, second + 1)
    shares = baseline.before(4)[0], baseline.before(60)[0]
    assert shares == pytest.approx((4 / (4 + SPEC.typical), 60 / (60 + SPEC.typical)))


def test_it_forgets_slowly() -> None:
    baseline = running()
    for second in range(600):
        baseline.update(said(float(second >= 570)), second, second + 1)
    baseline.finish()
    assert baseline.seconds == SPEC.memory
    assert baseline.mean is not None
    assert 0.3 < baseline.mean[0] < 0.5


def test_what_was_heard_before_is_not_counted_twice() -> None:
    baseline = running()
    baseline.update(said(1.0), 0.0, 3.0)
    baseline.update(said(2.0), 0.5, 3.5)
    baseline.update(said(9.0), 0.5, 3.5)  # nothing in it is new
    baseline.finish()
    assert baseline.seconds == pytest.approx(3.5)
    assert baseline.mean == pytest.approx(np.full(16, (3 * 1 + 0.5 * 2) / 3.5))


def test_a_window_speaks_for_those_that_it_holds() -> None:
    baseline = running()
    for second in range(1, 4):
        baseline.update(said(float(second)), 0.0, second)
        assert baseline.speech == second
    baseline.finish()
    assert baseline.seconds == 3
    assert baseline.mean == pytest.approx(np.full(16, 3.0))


def test_speech_is_not_measured_against_itself() -> None:
    baseline = running()
    baseline.update(said(1.0), 0.0, 1.0)
    baseline.update(said(1.0), 0.0, 1.5)
    assert not baseline.before(1.0).any()
    assert baseline.before(1.5).any()


def test_one_mood_all_day_does_not_become_the_usual() -> None:
    offsets = np.zeros((4, 16))
    offsets[3] = 2.0  # anger adds so much to any voice
    baseline = running(tiny_baseline(offsets=offsets))
    for second in range(60):
        baseline.update(said(2.5, label=3), second, second + 1)
    baseline.finish()
    assert baseline.mean == pytest.approx(np.full(16, 0.5))


def test_enrolled_speech_is_neutral_whatever_is_heard_in_it() -> None:
    offsets = np.zeros((4, 16))
    offsets[0], offsets[3] = -1.0, 2.0
    spec = tiny_baseline(offsets=offsets)
    baseline = running(spec, enrol=5.0)
    for second in range(10):
        assert baseline.enrolling is (second < 5)
        baseline.update(said(0.5, label=3), second, second + 1)
    baseline.finish()
    enrolled, later = 0.5 + 1.0, 0.5 - 2.0
    assert baseline.mean is not None
    assert later < baseline.mean[0] < enrolled
    assert enrolled - baseline.mean[0] < baseline.mean[0] - later  # it counts for more


def test_a_voice_is_heard_against_the_baseline(against_model: Path, speech: Path) -> None:
    model = load(against_model)
    with audio_file(speech, 16000) as blocks:
        frames = log_mel(np.concatenate(list(blocks)), model.info.features)
    by_itself = model.predict(frames)
    assert by_itself.voice is not None
    against = model.predict(frames, by_itself.voice)
    assert np.abs(by_itself.probabilities - against.probabilities).max() > 1e-3


def test_a_long_clip_is_measured_against_its_own_beginning(
    against_model: Path, speech: Path
) -> None:
    with audio_file(speech, 16000) as blocks:
        verdict = classify_clip(load(against_model), blocks)
    assert verdict.state == "speech"


def test_an_enrolment_of_real_speech_counts(against_model: Path, speech: Path) -> None:
    baseline = running(enrol=2.5)
    with audio_file(speech, 16000) as blocks:
        list(Monitor(load(against_model), blocks, baseline=baseline))
    assert not baseline.enrolling
    assert 0 < baseline.seconds < baseline.weight  # enrolled speech counts for more


def test_a_profile_is_kept_and_taken_up_again(
    against_model: Path, speech: Path, home: Path
) -> None:
    command = ["listen", "--from", speech, "--speed", "0", "--format", "jsonl"]
    command += ["--model", against_model, "--profile", "anna"]
    first = live_ser(*command)
    assert first.returncode == 0, first.stderr
    (path,) = home.rglob("anna.json")
    assert str(path) in first.stderr
    kept = json.loads(path.read_text())
    assert len(kept["mean"]) == SPEC.size
    assert path.stat().st_size < 4000
    second = live_ser(*command)
    classified = [one for one in records(second.stdout) if one.get("probabilities")]
    assert classified[0]["baseline"] == pytest.approx(kept["seconds"], abs=0.1)
    assert json.loads(path.read_text())["seconds"] > kept["seconds"]


@pytest.mark.parametrize(
    "content",
    ["", "not JSON", "[]", '{"schema": 1}', '{"schema": 2}', "[" * 100_000, "long" * 2**19],
)
def test_a_spoilt_profile_is_named_and_left_as_it_is(
    against_model: Path, speech: Path, home: Path, content: str
) -> None:
    command = ["listen", "--from", speech, "--speed", "0", "--format", "jsonl"]
    command += ["--model", against_model, "--profile", "anna"]
    live_ser(*command)
    (path,) = home.rglob("anna.json")
    path.write_text(content)
    spoilt = live_ser(*command)
    assert spoilt.returncode == 1
    assert "is no profile" in spoilt.stderr
    assert "Traceback" not in spoilt.stderr
    assert path.read_text() == content


def test_a_profile_of_another_model_is_refused(
    against_model: Path, speech: Path, home: Path, tmp_path: Path
) -> None:
    info = tiny_info(baseline=tiny_baseline())
    louder = pack_matrix(1000 * info.features.mel_matrix)
    info = replace(info, features=replace(info.features, mel_basis=louder))
    other = write_model(tmp_path / "other.onnx", info)
    command = ["listen", "--from", speech, "--speed", "0", "--profile", "anna", "--model"]
    assert live_ser(*command, against_model).returncode == 0
    refused = live_ser(*command, other)
    assert refused.returncode == 1
    assert "the profile anna cannot be used with this model: it was made with" in refused.stderr
    assert "live-ser profiles delete anna" in refused.stderr


@pytest.mark.parametrize("name", ["../anna", "a/b", ".hidden", "a" * 100])
def test_a_profile_s_name_is_no_path(
    against_model: Path, speech: Path, home: Path, name: str
) -> None:
    command = ["listen", "--from", speech, "--model", against_model, "--profile", name]
    refused = live_ser(*command)
    assert refused.returncode == 2
    assert "no name for a profile" in refused.stderr
    assert not list(home.rglob("*.json"))


@pytest.mark.parametrize("name", ["CON", "nul", "Aux.old", "com1", "LPT9.x", "COM\xb2"])
def test_a_profile_is_not_named_like_a_device_of_windows(name: str) -> None:
    """Profiles go from system to system, so no system takes such a name."""
    with pytest.raises(InvalidArgument, match="no name for a profile"):
        profile_path(name)
    for other in ("conny", "com", "com10", "nul-1", f"a.{name}"):
        profile_path(other)


@pytest.mark.parametrize("option", [("--enroll", "5"), ("--profile", "anna")])
def test_a_model_that_takes_none_says_so(
    tiny_model: Path, speech: Path, option: tuple[str, str]
) -> None:
    refused = live_ser("listen", "--from", speech, "--model", tiny_model, *option)
    assert refused.returncode == 1
    assert "uses no speaker baseline" in refused.stderr
