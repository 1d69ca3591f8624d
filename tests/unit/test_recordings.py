"""One pass over a recording gives its windows, its utterances and one verdict."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.frontend.dc_blocker import block_dc
from live_ser.frontend.features import log_mel
from live_ser.frontend.gate import CHUNK_SECONDS, frame_range, speech_mask
from live_ser.inference.monitor import Monitor
from live_ser.inference.recordings import analyse, classify_clip
from live_ser.inference.results import Prediction, Segment, Verdict
from live_ser.inference.utterances import UtteranceCutter, pieces
from live_ser.inference.windows import PAUSE_SECONDS
from live_ser.model.onnx_model import EmotionModel
from live_ser.spec import BaselineSpec
from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

PAUSE = int(PAUSE_SECONDS / CHUNK_SECONDS)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> EmotionModel:
    return EmotionModel(tiny_model)


@pytest.fixture(scope="module")
def sound(speech: Path) -> Samples:
    samples, rate = soundfile.read(speech, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, 16000), np.float32)


def in_blocks(sound: Samples, size: int) -> Iterator[Samples]:
    yield from (sound[i : i + size] for i in range(0, len(sound), size))


@pytest.mark.parametrize("hop", [0.5, 0.37, 3.5])
def test_the_timeline_is_what_the_live_path_says_window_for_window(
    model: EmotionModel, sound: Samples, hop: float
) -> None:
    live = list(Monitor(model, in_blocks(sound, 800), hop=hop))
    found = list(analyse(model, in_blocks(sound, 16000), hop=hop, timeline=True))
    windows = [p for p in found if isinstance(p, Prediction)]
    assert len(windows) == len(live)
    assert {"silence", "speech"} <= {p.state for p in live}
    for mine, its in zip(windows, live, strict=True):
        assert (mine.start, mine.end, mine.state) == (its.start, its.end, its.state)
        assert (mine.probabilities or {}) == pytest.approx(its.probabilities or {}, abs=1e-5)
        assert (mine.raw or {}) == pytest.approx(its.raw or {}, abs=1e-5)


def test_the_verdict_comes_last_and_what_else_is_asked_for_does_not_change_it(
    model: EmotionModel, sound: Samples
) -> None:
    (alone,) = analyse(model, [sound])
    *rest, verdict = analyse(model, in_blocks(sound, 1234), timeline=True, segments=True)
    assert isinstance(alone, Verdict)
    assert isinstance(verdict, Verdict)
    assert {type(one) for one in rest} == {Prediction, Segment}
    assert alone.probabilities == pytest.approx(verdict.probabilities, abs=1e-5)
    assert replace(alone, probabilities=None, confidence=None, activation=None) == replace(
        verdict, probabilities=None, confidence=None, activation=None
    )


def test_segments_are_the_utterances_each_classified_on_its_own_speech(
    model: EmotionModel, sound: Samples
) -> None:
    segments = [s for s in analyse(model, [sound], segments=True) if isinstance(s, Segment)]
    assert [s.state for s in segments] == ["speech", "speech"]  # it says two sentences
    info = model.info
    mask = speech_mask(sound, 16000, info.gate)
    hop = info.features.hop_length / 16000
    for segment in segments:
        first, stop = round(segment.start / CHUNK_SECONDS), round(segment.end / CHUNK_SECONDS)
        assert mask[first]
        assert mask[stop - 1]
        assert segment.evidence == pytest.approx(mask[first:stop].sum() * CHUNK_SECONDS)
        own = np.zeros_like(mask)
        own[first:stop] = True
        frames = log_mel(block_dc(sound, 16000), info.features)
        begin, end = frame_range(own, hop, len(frames))
        expected = model.predict(frames[begin:end])
        assert segment.probabilities is not None
        assert list(segment.probabilities.values()) == pytest.approx(expected.probabilities)
        assert segment.label == info.labels[int(np.argmax(expected.probabilities))]
    assert segments[0].end <= segments[1].start


def test_the_verdict_is_the_mean_of_the_segments_weighted_by_speech(
    model: EmotionModel, sound: Samples
) -> None:
    *segments, verdict = analyse(model, [sound] * 3, segments=True)
    assert isinstance(verdict, Verdict)
    assert verdict.windows == len(segments) == 6
    weights = [s.evidence for s in segments if isinstance(s, Segment)]
    each = [list((s.probabilities or {}).values()) for s in segments]
    assert verdict.probabilities is not None
    mean = np.average(each, 0, weights)
    assert list(verdict.probabilities.values()) == pytest.approx(mean, abs=1e-6)


def test_scraps_of_speech_are_listening_and_count_only_where_there_is_nothing_else(
    tmp_path: Path, sound: Samples
) -> None:
    info = tiny_info(gate=replace(tiny_info().gate, min_speech=1.7))
    model = EmotionModel(write_model(tmp_path / "patient.onnx", info))
    *segments, both = analyse(model, [sound], segments=True)
    evidence = sorted(s.evidence for s in segments if isinstance(s, Segment))
    between = sum(evidence) / 2
    assert evidence[0] < between < evidence[1]
    for least, states, classified in (
        (0.25, {"speech"}, 2),
        (between, {"listening", "speech"}, 1),
        (evidence[1] + 0.01, {"listening"}, 2),
        (sum(evidence) + 0.01, {"listening"}, 0),
    ):
        info = tiny_info(gate=replace(tiny_info().gate, min_speech=least))
        model = EmotionModel(write_model(tmp_path / "model.onnx", info))
        *segments, both = analyse(model, [sound], segments=True)
        assert {s.state for s in segments if isinstance(s, Segment)} == states
        assert isinstance(both, Verdict)
        assert both.windows == classified
        assert (both.state == "listening") == (classified == 0)


def test_nothing_is_silence_of_no_length(model: EmotionModel) -> None:
    assert classify_clip(model, []) == Verdict(
        duration=0.0, state="silence", speech=0.0, evidence=0.0, windows=0
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trim", "baseline"), [(True, None), (False, None), (True, tiny_baseline())]
)
def test_memory_does_not_grow_with_the_recording(
    tmp_path: Path, sound: Samples, trim: bool, baseline: BaselineSpec | None
) -> None:
    info = tiny_info(gate=replace(tiny_info().gate, trim=trim), baseline=baseline)
    model = EmotionModel(write_model(tmp_path / "model.onnx", info))

    def ours() -> int:
        gc.collect()
        snapshot = tracemalloc.take_snapshot()
        only = snapshot.filter_traces([tracemalloc.Filter(True, "*live_ser*")])
        return sum(statistic.size for statistic in only.statistics("filename"))

    def long() -> Iterator[Samples]:
        for i in range(40):
            if i in (20, 39):  # what waits for later speech is complete by the first
                sizes.append(ours())
            yield from in_blocks(sound, 16000)

    sizes: list[int] = []
    tracemalloc.start()
    try:
        for _ in analyse(model, long(), timeline=True, segments=True):
            pass
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < 50_000


def cut_knowing_all(mask: list[bool], longest: int) -> list[tuple[int, int]]:
    """What pieces are, of a recording that is known as a whole."""
    spoken = np.flatnonzero(mask)
    if not len(spoken):
        return []
    pauses = np.diff(spoken) - 1
    done, todo = [], [(0, len(spoken))]
    while todo:
        first, stop = todo.pop()
        begin, end = int(spoken[first]), int(spoken[stop - 1]) + 1
        inner = pauses[first : stop - 1]
        if end - begin <= longest and not (inner > PAUSE).any():
            done.append((begin, end))
            continue
        cut = first + int(np.argmax(inner))
        if pauses[cut] == 0:
            cut = (first + stop) // 2 - 1
        todo += [(cut + 1, stop), (first, cut + 1)]
    return done


RUNS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), max_size=30)


@given(RUNS, st.integers(10, 110), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_pieces_are_the_same_while_the_recording_is_still_heard(
    runs: list[tuple[int, int]], longest: int, sizes: list[int]
) -> None:
    mask = [bit for speech, pause in runs for bit in [True] * speech + [False] * pause]
    cutter, found, at = UtteranceCutter(longest), [], 0
    while at < len(mask):
        size = sizes[at % len(sizes)]
        found += cutter.push(np.array(mask[at : at + size], np.bool_))
        at += size
    found += cutter.finish()
    assert found == cut_knowing_all(mask, longest)
    assert found == pieces(np.array(mask, np.bool_), longest)


@given(st.integers(1, 5000), st.integers(10, 300))
def test_speech_without_a_pause_is_cut_too(length: int, size: int) -> None:
    cutter, found = UtteranceCutter(100), []
    for at in range(0, length, size):
        found += cutter.push(np.ones(min(size, length - at), np.bool_))
        assert at + size - cutter.begun <= 1600 + size  # no more is kept
    found += cutter.finish()
    assert found == pieces(np.ones(length, np.bool_), 100)
    assert (found[0][0], found[-1][1]) == (0, length)
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(stop - start <= 100 for start, stop in found)
    if length <= 1600:
        assert found == cut_knowing_all([True] * length, 100)


def test_two_threads_find_what_one_finds(model: EmotionModel, sound: Samples) -> None:
    one, two = (
        [
            replace(found, latency_ms=0.0) if isinstance(found, Prediction) else found
            for found in analyse(
                model, in_blocks(sound, 16000), timeline=True, segments=True, threads=threads
            )
        ]
        for threads in (1, 2)
    )
    assert one == two


def test_what_goes_wrong_while_reading_ahead_comes_out_and_no_thread_stays(
    model: EmotionModel, sound: Samples
) -> None:
    def broken() -> Iterator[Samples]:
        yield sound
        raise LiveSerError("the disk is gone")

    before = set(threading.enumerate())
    with pytest.raises(LiveSerError, match="the disk is gone"):
        list(analyse(model, broken(), timeline=True, threads=2))
    endless = analyse(model, cycle([sound]), timeline=True, threads=2)
    with closing(endless):  # type: ignore[type-var]
        next(endless)
    assert not set(threading.enumerate()) - before
