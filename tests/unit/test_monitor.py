"""The same sound gives the same predictions, wherever it comes from."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import Block, Gap, audio_file, microphone, replay
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.frontend.gate import CHUNK_SECONDS, speech_mask
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.model.onnx_model import EmotionModel, load
from tests.support.scripted_microphone import ScriptedMicrophone, in_blocks
from tests.support.tiny_model import LABELS, tiny_info, write_model
from training.data.music import music


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> EmotionModel:
    return EmotionModel(tiny_model)


@pytest.fixture
def sound(at_rate: Callable[[int], Path]) -> Samples:
    samples, _ = soundfile.read(at_rate(16000), dtype="float32")
    return np.asarray(samples, np.float32)


def predictions(model: EmotionModel, blocks: Iterable[Block], **options: Any) -> list[Prediction]:
    """What the monitor says, less the time that it took."""
    return [replace(p, latency_ms=0.0) for p in Monitor(model, blocks, **options)]


def assert_alike(some: list[Prediction], others: list[Prediction]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        assert (one.start, one.end) == (other.start, other.end)
        assert (one.state, one.label) == (other.state, other.label)
        assert one.level_db == pytest.approx(other.level_db, abs=1e-3)
        for mine, theirs in (
            (one.probabilities, other.probabilities),
            (one.raw, other.raw),
        ):
            assert (mine or {}) == pytest.approx(theirs or {}, abs=1e-5)


@pytest.mark.parametrize("size", [160, 512, 1000, 4096, 100_000])
def test_the_size_of_the_blocks_changes_nothing(
    model: EmotionModel, sound: Samples, size: int
) -> None:
    blocks = [sound[i : i + size] for i in range(0, len(sound), size)]
    assert predictions(model, blocks) == predictions(model, [sound])


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_file_replay_and_microphone_are_classified_alike(
    model: EmotionModel, at_rate: Callable[[int], Path], rate: int
) -> None:
    path = at_rate(rate)
    with audio_file(path, 16000) as blocks:
        of_file = predictions(model, blocks)
    with replay(path, 16000, speed=0) as blocks:
        of_replay = predictions(model, blocks)
    assert of_replay == of_file
    assert {p.state for p in of_file} >= {"silence", "speech"}

    recorded, _ = soundfile.read(path, dtype="float32")
    script = in_blocks(recorded, rate)
    heard: list[Prediction] = []
    scripted = ScriptedMicrophone(rate, script)
    with microphone(None, 16000, opener=scripted, reconnect=False) as mic:
        for prediction in Monitor(model, iter(mic)):  # unaware of the backlog: it skips nothing
            heard.append(replace(prediction, latency_ms=0.0))
            if len(heard) == len(of_file) - 2:  # a microphone has no end to flush its filter at
                break
    assert_alike(heard, of_file[:-2])


def test_windows_end_at_every_hop_and_where_the_source_ends(
    model: EmotionModel, sound: Samples
) -> None:
    said = predictions(model, [sound[: 4 * 16000 + 1234]], hop=0.5)
    assert [p.end for p in said] == [*np.arange(1, 9) / 2, 4 + 1234 / 16000]
    assert [p.start for p in said] == pytest.approx([max(0, p.end - 3.5) for p in said])


def test_a_source_that_ends_at_a_hop_has_no_window_more(
    model: EmotionModel, sound: Samples
) -> None:
    assert len(predictions(model, [sound[:32000]], hop=0.5)) == 4


def test_probabilities_sum_to_one_and_name_the_labels(model: EmotionModel, sound: Samples) -> None:
    classified = [p for p in predictions(model, [sound]) if p.probabilities is not None]
    assert classified
    for p in classified:
        assert p.probabilities is not None
        assert p.raw is not None
        assert p.activation is not None
        assert tuple(p.probabilities) == LABELS
        assert sum(p.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert sum(p.raw.values()) == pytest.approx(1, abs=1e-5)
        assert p.label is not None
        assert p.confidence == p.probabilities[p.label]
        assert 0 <= p.activation <= 1


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.1])
def test_silence_and_steady_noise_are_silence_not_an_emotion(
    model: EmotionModel, level: float
) -> None:
    noise = np.random.default_rng(0).normal(0, level, 8 * 16000).astype(np.float32)
    said = predictions(model, [noise])
    assert {p.state for p in said} == {"silence"}
    assert {(p.label, p.confidence, p.probabilities, p.raw) for p in said} == {
        (None, None, None, None)
    }


RATE = 16000


def tune(rng: np.random.Generator) -> Samples:
    return music(60, RATE, rng)


def typing(rng: np.random.Generator) -> Samples:
    """Keys struck at uneven times in a quiet room."""
    sound = rng.normal(0, 5e-4, 60 * RATE)
    for start in np.cumsum(rng.uniform(0.06, 0.3, 200)):
        key = rng.normal(0, 0.15, 400) * np.exp(-np.arange(400) / 50)
        sound[round(start * RATE) :][:400] += key
    return sound.astype(np.float32)


def fan(rng: np.random.Generator) -> Samples:
    """Noise that falls towards the high frequencies, and the hum of a motor."""
    noise = np.fft.rfft(rng.normal(0, 1, 60 * RATE))
    noise /= np.maximum(np.fft.rfftfreq(60 * RATE, 1 / RATE), 50) ** 0.8
    air = np.fft.irfft(noise)
    hum = 0.01 * np.sin(2 * np.pi * 118 * np.arange(len(air)) / RATE)
    return np.asarray(0.05 * air / air.std() + hum, np.float32)


@pytest.mark.parametrize("made", [tune, typing, fan])
def test_a_minute_of_music_typing_or_a_fan_is_no_emotion(
    made: Callable[[np.random.Generator], Samples],
) -> None:
    said = predictions(load(), [made(np.random.default_rng(0))])
    assert len(said) == 120
    assert {p.state for p in said} <= {"silence", "listening"}


def test_speech_that_is_over_becomes_silence_after_a_second(
    model: EmotionModel, sound: Samples
) -> None:
    pause = np.zeros(4 * 16000, np.float32)
    said = predictions(model, [sound, pause])
    for p in said:
        if p.state in ("speech", "uncertain"):
            assert p.since_speech is not None
            assert p.since_speech <= 1
        elif p.since_speech is not None and p.since_speech > 1:
            assert p.state == "silence"
    assert said[-1].state == "silence"
    assert said[-1].since_speech is not None
    assert said[-1].since_speech > 4


def test_in_a_pause_the_network_is_not_run_again(
    model: EmotionModel, sound: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    classify, asked = EmotionModel.predict, []

    def counted(self: EmotionModel, *given: Any) -> Any:
        asked.append(given)
        return classify(self, *given)

    monkeypatch.setattr(EmotionModel, "predict", counted)
    pause = np.zeros(24_000, np.float32)
    found = [p for p in predictions(model, [sound[:24_000], pause], hop=0.25) if p.raw]
    assert len(asked) < len(found)
    assert found[-1].raw == found[-2].raw
    fresh = predictions(model, [sound[:24_000], pause[:4_000]], hop=0.25)[-1]
    assert found[-1].raw == pytest.approx(fresh.raw, abs=1e-6)


def test_too_little_speech_is_listening(tmp_path: Path, sound: Samples) -> None:
    info = tiny_info(gate=replace(tiny_info().gate, min_speech=1.0))
    model = EmotionModel(write_model(tmp_path / "patient.onnx", info))
    said = predictions(model, [sound])
    listening = [p for p in said if p.state == "listening"]
    assert listening
    assert all(p.label is None and 0 < p.evidence < 1 for p in listening)
    assert all(p.evidence >= 1 for p in said if p.state == "speech")


def test_more_speech_is_waited_for_only_while_there_is_more_to_come(
    tmp_path: Path, sound: Samples
) -> None:
    gate = replace(tiny_info().gate, min_speech=0.3, onset=1.0)
    model = EmotionModel(write_model(tmp_path / "waiting.onnx", tiny_info(gate=gate)))
    begun = int(np.argmax(speech_mask(sound, RATE, gate)) * CHUNK_SECONDS * RATE)
    word = sound[begun : begun + int(0.8 * RATE)]
    said = predictions(model, [word, np.zeros(2 * RATE, np.float32)])
    classified = [p for p in said if p.label is not None]
    assert classified
    assert all(p.evidence >= 1 or (p.since_speech or 0) > 0.3 for p in classified)
    assert any(p.state == "listening" and p.evidence >= 0.3 for p in said)


def test_a_model_that_cannot_tell_is_uncertain_with_its_best_guess(
    tmp_path: Path, sound: Samples
) -> None:
    model = EmotionModel(write_model(tmp_path / "doubtful.onnx", tiny_info(abstain=1.0)))
    classified = [p for p in predictions(model, [sound]) if p.label is not None]
    assert classified
    assert {p.state for p in classified} == {"uncertain"}


def test_a_model_that_does_not_trim_hears_the_whole_window(tmp_path: Path, sound: Samples) -> None:
    whole = tiny_info(gate=replace(tiny_info().gate, trim=False))
    model = EmotionModel(write_model(tmp_path / "whole.onnx", whole))
    trimming = EmotionModel(write_model(tmp_path / "trim.onnx", tiny_info()))
    said, trimmed = predictions(model, [sound]), predictions(trimming, [sound])
    assert [p.state for p in said] == [p.state for p in trimmed]
    assert [p.raw for p in said] != [p.raw for p in trimmed]


class Late:
    """Blocks of which the first ones come late: so many seconds wait behind each of them."""

    def __init__(self, blocks: list[Samples], backlogs: list[float]) -> None:
        self.blocks, self.backlogs = blocks, backlogs
        self.backlog = 0.0

    def __iter__(self) -> Iterator[Samples]:
        for block, backlog in zip(self.blocks, self.backlogs, strict=True):
            self.backlog = backlog
            yield block


def test_on_a_backlog_the_newest_window_is_classified_and_the_others_are_counted(
    model: EmotionModel, sound: Samples
) -> None:
    hops = [sound[i : i + 8000] for i in range(0, 64000, 8000)]
    late = Late(hops, [0.0, 0.0, 2.0, 1.5, 1.0, 0.5, 0.4, 0.0])
    monitor = Monitor(model, late, hop=0.5)
    said = [replace(p, latency_ms=0.0) for p in monitor]
    assert [p.end for p in said] == [0.5, 1.0, 3.5, 4.0]
    assert monitor.skipped == 4
    assert monitor.windows == 4
    in_time = predictions(model, hops, hop=0.5)
    assert [p.raw for p in said] == [p.raw for p in in_time if p.end in (0.5, 1.0, 3.5, 4.0)]


def test_no_window_holds_sound_from_both_sides_of_a_gap(
    model: EmotionModel, sound: Samples
) -> None:
    before, after = sound[: 3 * 16000], sound[3 * 16000 :]
    said = predictions(model, [before, Gap(10.2, "unplugged"), after], hop=0.5)
    assert [p.end for p in said][:8] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 13.5, 14.0]
    assert all(p.end <= 3.0 or p.start >= 13.2 for p in said)
    assert said[6].start == pytest.approx(13.2)
    assert said[6].since_speech is None or said[6].since_speech > 0


def test_after_a_gap_nothing_is_remembered(model: EmotionModel, sound: Samples) -> None:
    said = predictions(model, [sound, Gap(10 - len(sound) / 16000 % 0.5, "unplugged"), sound])
    again = [p for p in said if p.start * 16000 >= len(sound)]
    fresh = predictions(model, [sound])[:-1]
    assert [p.raw for p in again[: len(fresh)]] == [p.raw for p in fresh]
    assert [p.probabilities for p in again[: len(fresh)]] == [p.probabilities for p in fresh]


@pytest.mark.slow
def test_memory_stays_flat_however_long_it_listens(model: EmotionModel, sound: Samples) -> None:
    def ours() -> int:
        gc.collect()
        snapshot = tracemalloc.take_snapshot()
        only = snapshot.filter_traces([tracemalloc.Filter(True, "*live_ser*")])
        return sum(statistic.size for statistic in only.statistics("filename"))

    def hours() -> Iterator[Samples]:
        for i in range(60):
            if i == 20:
                sizes.append(ours())
            yield from (sound[k : k + 800] for k in range(0, len(sound), 800))

    sizes: list[int] = []
    tracemalloc.start()
    try:
        for _ in Monitor(model, hours()):
            pass
        sizes.append(ours())
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < 50_000


@pytest.mark.parametrize("options", [{"hop": 0.0}, {"hop": 4.0}, {"hop": -1.0}, {"smoothing": -1}])
def test_a_hop_or_smoothing_that_cannot_be_is_wrong_usage(
    model: EmotionModel, options: dict[str, float]
) -> None:
    with pytest.raises(LiveSerError) as caught:
        Monitor(model, [], **options)  # type: ignore[arg-type]
    assert isinstance(caught.value, InvalidArgument)
    assert caught.value.hint
