"""Sound that is pushed in is classified as the same sound from a file, and turn by turn."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import live_ser
from live_ser import LiveSerError, Model, Prediction
from live_ser.audio.blocks import Samples
from tests.support.scripted_microphone import in_blocks


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return live_ser.load(tiny_model)


@pytest.fixture(scope="module")
def sound(speech: Path) -> Samples:
    samples, rate = soundfile.read(speech, dtype="float32")
    assert rate == 48000
    return np.asarray(samples)


def timeless(predictions: list[Prediction]) -> list[Prediction]:
    return [replace(prediction, latency_ms=0.0) for prediction in predictions]


@pytest.mark.parametrize("size", [333, 4800, 10**6])
def test_it_says_what_the_timeline_of_a_file_says(model: Model, sound: Samples, size: int) -> None:
    stream = model.stream(rate=48000)
    fed = [p for start in range(0, len(sound), size) for p in stream.feed(sound[start:][:size])]
    expected = model.timeline(sound, 48000)
    assert [p.end for p in fed] == [p.end for p in expected][: len(fed)]
    assert len(expected) - len(fed) <= 2  # what the resampler holds back, and the last short hop
    for one, other in zip(fed, expected, strict=False):
        assert one.label == other.label
        assert (one.raw or {}) == pytest.approx(other.raw or {}, abs=1e-5)


def test_a_turn_is_classified_as_a_recording_of_its_own(model: Model, sound: Samples) -> None:
    stream = model.stream(rate=48000)
    for block in in_blocks(sound, 960):
        stream.feed(block)
    verdict = stream.turn()
    assert verdict.probabilities == pytest.approx(
        model.predict(sound, 48000).probabilities, abs=1e-5
    )
    assert verdict.duration == pytest.approx(len(sound) / 48000, abs=1e-3)
    assert stream.turn().state == "silence"
    stream.feed(np.zeros(48000))
    assert stream.turn().state == "silence"
    stream.feed(sound)
    again = stream.turn()
    assert again.evidence == pytest.approx(verdict.evidence, abs=0.1)
    assert again.probabilities == pytest.approx(verdict.probabilities, abs=0.05)


def test_the_end_of_a_turn_leaves_the_hops_where_they_are(model: Model) -> None:
    stream = model.stream()
    ends = [p.end for p in stream.feed(np.zeros(12_000))]
    stream.turn()
    ends += [p.end for p in stream.feed(np.zeros(12_000))]
    assert ends == [0.5, 1.0, 1.5]


def test_nothing_is_classified_across_a_gap(model: Model, sound: Samples) -> None:
    stream = model.stream(rate=48000)
    before = stream.feed(sound[: 2 * 48000])
    stream.gap(10.0)
    late, first, *_ = stream.feed(sound[: 2 * 48000])
    # The resampler held the end of the last hop back: no hop is lost to the gap.
    assert [p.end for p in (*before, late)] == [0.5, 1.0, 1.5, 2.0]
    assert first.start >= 12.0
    assert stream.turn().evidence > 0


def test_what_cannot_be_fed_is_refused_by_its_name(model: Model) -> None:
    with pytest.raises(LiveSerError, match="samples: NoneType"):
        model.stream().feed(None)  # type: ignore[arg-type]
    with pytest.raises(LiveSerError, match="rate:"):
        model.stream(rate=float("nan"))
    with pytest.raises(LiveSerError, match="hop"):
        model.stream(hop=100)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_is_in_use_is_neither_copied_nor_sent(
    model: Model, copied: Callable[[object], object]
) -> None:
    for used in (model.stream(), model.monitor([]), live_ser.listen(model=model)):
        with pytest.raises(LiveSerError, match="neither be copied nor sent") as error:
            copied(used)
        assert "Model" in error.value.hint


def test_threads_take_turns(model: Model, sound: Samples) -> None:
    """The resampler is native code, which crashes the process where two threads are in it."""
    stream = model.stream(rate=48000)
    start = threading.Barrier(4)

    def feed() -> int:
        start.wait()
        return sum(len(stream.feed(block)) for block in in_blocks(sound, 480))

    with ThreadPoolExecutor(4) as pool:
        fed = sum(future.result() for future in [pool.submit(feed) for _ in range(4)])
    assert fed + len(stream.finish()) == len(model.timeline(np.tile(sound, 4), 48000))
