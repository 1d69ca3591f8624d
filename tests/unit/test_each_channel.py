"""Each channel of a recording is classified separately, as it would be alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import live_ser
from live_ser.audio.blocks import Samples
from live_ser.audio.reading import Reading
from live_ser.audio.sources import microphone, replay
from live_ser.errors import AudioError, InvalidArgument
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Decision
from tests.support.scripted_microphone import ScriptedMicrophone, in_blocks

RATE = 16000


@pytest.fixture
def two(speech: Path) -> Samples:
    """Two people who talk in turns, each on a channel, at 48 kHz."""
    samples, _ = soundfile.read(speech, dtype="float32")
    other = np.roll(samples[::-1], 30000) * 0.5
    return np.stack([samples, other], axis=1)


@pytest.fixture
def call(two: Samples, tmp_path: Path) -> Path:
    path = tmp_path / "call.flac"
    soundfile.write(path, two, 48000)
    return path


def alone(results: Sequence[Decision]) -> list[Decision]:
    """The same as if the channel had been heard alone."""
    alike: dict[str, Any] = {"channel": None, "speaker": None}
    alike |= {"latency_ms": 0.0} if results and hasattr(results[0], "latency_ms") else {}
    return [replace(result, **alike) for result in results]


@pytest.mark.parametrize("method", ["timeline", "segments"])
def test_a_channel_has_the_results_that_it_has_alone(
    call: Path, against_model: Path, method: str
) -> None:
    model = live_ser.load(against_model)
    together = getattr(model, method)(call, each_channel=True)
    for number in (1, 2):
        by_itself = getattr(model, method)(call, channel=number)
        of_channel = [result for result in together if result.channel == number]
        assert len(by_itself) > 1
        assert alone(of_channel) == alone(by_itself)


def test_each_channel_has_the_verdict_that_it_has_alone(call: Path, against_model: Path) -> None:
    model = live_ser.load(against_model)
    agent, caller = model.predict_channels(call, names=["agent", "caller"])
    assert (agent.channel, agent.speaker) == (1, "agent")
    assert (caller.channel, caller.speaker) == (2, "caller")
    assert alone([agent, caller]) == [model.predict(call, channel=number) for number in (1, 2)]


def test_samples_and_files_agree(two: Samples, call: Path, against_model: Path) -> None:
    model = live_ser.load(against_model)
    samples, rate = soundfile.read(call, dtype="float32")
    assert model.predict_channels(samples, rate) == model.predict_channels(call)


def test_a_mono_recording_is_one_channel(speech: Path, against_model: Path) -> None:
    model = live_ser.load(against_model)
    (only,) = model.predict_channels(speech)
    assert only.channel == 1
    assert alone([only]) == [model.predict(speech)]


def test_a_channel_without_speech_says_so(two: Samples, against_model: Path) -> None:
    two[:, 1] = 0
    spoken, silent = live_ser.load(against_model).predict_channels(two, 48000)
    assert spoken.label is not None
    assert (silent.state, silent.label, silent.evidence) == ("silence", None, 0.0)


def test_live_each_channel_is_classified_each_hop(
    two: Samples, call: Path, tiny_model: Path
) -> None:
    model = live_ser.load(tiny_model)
    with replay(call, RATE, speed=0, reading=Reading(each_channel=True)) as source:
        live = [*model.monitor(source)]
    assert [one.channel for one in live] == [1, 2] * (len(live) // 2)
    assert alone(live) == alone(model.timeline(call, each_channel=True))


def test_a_microphone_of_two_channels(two: Samples, tiny_model: Path) -> None:
    model = live_ser.load(tiny_model)
    sound = np.ascontiguousarray(two[::3])
    scripted = ScriptedMicrophone(RATE, in_blocks(sound, RATE))
    heard = live_ser.listen(
        model=model,
        channels=2,
        each_channel=True,
        names=["left", "right"],
        smoothing=0,
        opener=scripted,
    )
    live = iter(heard)
    found = next(pair for pair in zip(live, live, strict=True) if pair[0].end >= 5)
    names = ["left", "right"]
    expected = model.timeline(sound, RATE, each_channel=True, names=names, smoothing=0)
    alike = [one for one in expected if one.end == found[0].end]
    assert alone([*found]) == alone(alike)  # a script plays fast: windows may be skipped
    assert [one.speaker for one in found] == names


def test_a_microphone_that_comes_back_with_fewer_channels(tiny_model: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    scripted = ScriptedMicrophone(RATE, in_blocks(noise[:, :1], RATE))
    with microphone(None, RATE, channels=2, each_channel=True, opener=scripted) as source:
        block = next(block for block in source if isinstance(block, np.ndarray) and len(block))
    assert block.shape[1] == 2
    assert not block[:, 1].any()


def test_blocks_of_ones_own(tiny_model: Path) -> None:
    model = live_ser.load(tiny_model)
    blocks = [np.zeros((RATE, 2), np.float32)]
    states = [(one.channel, one.state) for one in model.monitor(blocks, channels=2, hop=1.0)]
    assert states == [(1, "silence"), (2, "silence")]
    with pytest.raises(InvalidArgument, match="is not of 3 channels"):
        list(model.monitor(blocks, channels=3))


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"names": ["a", "b", "c"]}, "2 channels, and 3 names"),
        ({"names": ["a", "a"]}, "two of them are the same"),
        ({"names": ["a", " "]}, "one of them is empty"),
        ({"channel": 1}, "each is classified separately, not 1 alone"),
    ],
)
def test_what_does_not_go_together_is_refused(
    call: Path, tiny_model: Path, how: dict[str, Any], match: str
) -> None:
    with pytest.raises((InvalidArgument, AudioError), match=match):
        live_ser.load(tiny_model).predict_channels(call, **how)


def test_names_without_channels_are_refused(call: Path, tiny_model: Path) -> None:
    model = live_ser.load(tiny_model)
    with pytest.raises(InvalidArgument, match="who speaks in each channel"):
        model.timeline(call, names=["a", "b"])
    with pytest.raises(InvalidArgument, match="gives one verdict"):
        model.predict(call, each_channel=True)


def test_many_channels_at_once(tiny_model: Path) -> None:
    model = live_ser.load(tiny_model)
    verdicts = model.predict_channels(np.zeros((RATE, 64), np.float32), RATE)
    assert [verdict.channel for verdict in verdicts] == [*range(1, 65)]
    monitor = Monitor(model.network, [np.zeros((RATE, 2), np.float32)], voices=())
    with pytest.raises(InvalidArgument, match="not mono"):
        list(monitor)


def test_a_notebook_shows_a_lane_for_each_voice(call: Path, tiny_model: Path) -> None:
    timeline = live_ser.load(tiny_model).timeline(call, each_channel=True, names=["agent", "a<b"])
    shown = timeline._repr_html_()
    assert shown.count("<svg") == 2
    assert shown.index("agent") < shown.index("a&lt;b")
