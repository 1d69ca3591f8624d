"""Valence goes wherever activation goes if the model estimates it, and is null if it doesn't."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import live_ser
from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.inference.smoothing import Smoother
from live_ser.model.onnx_model import ModelOutput, load
from live_ser.records.annotation import Annotation
from live_ser.records.bids import events
from live_ser.records.csv import Csv
from live_ser.records.eaf import eaf
from live_ser.records.intervals import Interval
from live_ser.records.reader import read_records
from live_ser.records.record import clip_record, segment_record, window_record
from live_ser.records.schema import check_record
from live_ser.records.textgrid import textgrid
from live_ser.report.page import write_report
from tests.support.tiny_model import LABELS, tiny_info, write_model


@pytest.fixture
def sound(at_rate: Callable[[int], Path]) -> Samples:
    """A second of silence, then speech."""
    samples, _ = soundfile.read(at_rate(16000), dtype="float32")
    return np.concatenate([np.zeros(16000, np.float32), samples])


@pytest.fixture(scope="module")
def pleasant_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that estimates valence."""
    return write_model(tmp_path_factory.mktemp("model") / "tiny.onnx", tiny_info(), valence=True)


def test_every_result_has_valence_where_it_has_activation(
    pleasant_model: Path, sound: Samples
) -> None:
    model = live_ser.load(pleasant_model)
    rate = model.info.features.sample_rate
    results = [
        *model.timeline(sound, rate),
        *model.segments(sound, rate),
        model.predict(sound, rate),
        model.predict(np.zeros(rate, np.float32), rate),
    ]
    told = [(result.activation is None, result.valence is None) for result in results]
    assert set(told) == {(True, True), (False, False)}
    assert all(-1 <= result.valence <= 1 for result in results if result.valence is not None)
    frame = model.timeline(sound, rate).to_frame()
    assert frame.valence.notna().tolist() == frame.activation.notna().tolist()


def test_a_model_without_valence_gives_none(tiny_model: Path, sound: Samples) -> None:
    model = live_ser.load(tiny_model)
    rate = model.info.features.sample_rate
    results = [*model.timeline(sound, rate), *model.segments(sound, rate)]
    assert {result.valence for result in results} == {None}
    verdict = model.predict(sound, rate)
    assert verdict.activation is not None
    assert clip_record("clip.wav", verdict)["valence"] is None


def test_valence_is_the_same_live_and_of_a_file(pleasant_model: Path, sound: Samples) -> None:
    model = live_ser.load(pleasant_model)
    whole = [p.valence for p in model.timeline(sound, model.info.features.sample_rate)]
    pieces = [sound[i : i + 777] for i in range(0, len(sound), 777)]
    assert [p.valence for p in model.monitor(pieces)] == whole
    stream = model.stream()
    fed = [p.valence for piece in pieces for p in stream.feed(piece)]
    assert fed == whole[: len(fed)]


def test_valence_is_smoothed_as_activation_is() -> None:
    smoother = Smoother(1.0)
    probabilities = np.array([0.5, 0.5], np.float32)
    for time, value in ((0.0, 1.0), (0.5, 0.0), (1.0, 0.5)):
        output = ModelOutput(probabilities, value, valence=2 * value - 1)
        smooth = smoother.push(output, time, 2.0)
        assert smooth.valence == pytest.approx(2 * smooth.activation - 1)


def of_two_numbers(nodes: Any, helper: Any) -> None:
    nodes[-1].output[0] = "one"
    nodes.append(helper.make_node("Concat", ["one", "one"], ["valence"], axis=0))


def beyond_one(nodes: Any, helper: Any) -> None:
    nodes[-1].output[0] = "one"
    nodes.append(helper.make_node("Exp", ["one"], ["e"]))
    nodes.append(helper.make_node("Exp", ["e"], ["valence"]))


def not_a_number(nodes: Any, helper: Any) -> None:
    nodes[-1].output[0] = "one"
    nodes.append(helper.make_node("Abs", ["one"], ["positive"]))
    nodes.append(helper.make_node("Neg", ["positive"], ["negative"]))
    nodes.append(helper.make_node("Sqrt", ["negative"], ["valence"]))


@pytest.mark.parametrize("spoil", [of_two_numbers, beyond_one, not_a_number])
def test_a_valence_that_cannot_be_is_refused_in_a_line(
    spoil: Callable[[Any, Any], None], pleasant_model: Path, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(pleasant_model))
    assert list(model.graph.node[-1].output) == ["valence"]
    spoil(model.graph.node, onnx.helper)
    onnx.save(model, str(tmp_path / "spoilt.onnx"))
    with pytest.raises(LiveSerError, match="valence that is not one number from -1 to 1"):
        load(tmp_path / "spoilt.onnx")


def records_of(path: Path, sound: Samples) -> list[dict[str, Any]]:
    model = live_ser.load(path)
    rate = model.info.features.sample_rate
    records = [window_record(p) for p in model.timeline(sound, rate)]
    records += [segment_record(s) for s in model.segments(sound, rate)]
    records.append(clip_record("clip.wav", model.predict(sound, rate)))
    return [{**record, "source": "clip.wav"} for record in records]


def test_records_and_tables_hold_valence(
    pleasant_model: Path, sound: Samples, tmp_path: Path
) -> None:
    records = records_of(pleasant_model, sound)
    for record in records:
        check_record(record)
    told = [record["valence"] for record in records]
    assert {value is None for value in told} == {True, False}
    table = tmp_path / "table.csv"
    with table.open("w", encoding="utf-8") as stream:
        writer = Csv(stream, LABELS)
        for record in records:
            writer.write(record)
    assert [record.get("valence") for record in read_records(table)] == told


def test_records_and_tables_from_before_valence_are_read(
    tiny_model: Path, sound: Samples, tmp_path: Path
) -> None:
    records = records_of(tiny_model, sound)
    old = [{k: v for k, v in record.items() if k != "valence"} for record in records]
    lines = tmp_path / "old.jsonl"
    lines.write_text("".join(json.dumps(record) + "\n" for record in old))
    assert list(read_records(lines)) == old
    stream = io.StringIO()
    writer = Csv(stream, LABELS)
    for record in old:
        writer.write(record)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    table = tmp_path / "old.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        kept = csv.DictWriter(file, [name for name in rows[0] if name != "valence"])
        kept.writeheader()
        kept.writerows({k: v for k, v in row.items() if k != "valence"} for row in rows)
    assert [record["type"] for record in read_records(table)] == [r["type"] for r in old]


@pytest.mark.parametrize("value", [1.5, -1.01, "high", True])
def test_a_record_with_another_valence_is_none(
    value: object, tiny_model: Path, sound: Samples
) -> None:
    record = records_of(tiny_model, sound)[-1]
    with pytest.raises(ValueError, match="valence"):
        check_record({**record, "valence": value})


def test_annotations_hold_valence_if_there_is_any() -> None:
    interval = Interval(1.0, 2.0, "speech", "sad", 0.5, 0.25, -0.5)
    told, silent = (
        Annotation("clip.wav", 3.0, (one,)) for one in (interval, replace(interval, valence=None))
    )
    assert '"valence"' in textgrid(told)
    assert '"-0.50"' in textgrid(told)
    assert '"valence"' not in textgrid(silent)
    assert 'TIER_ID="valence"' in eaf(told)
    assert "-0.5000" in eaf(told)
    assert "valence" not in eaf(silent)
    assert events(told).splitlines() == [
        "onset\tduration\ttrial_type\tstate\tconfidence\tactivation\tvalence\tspeaker",
        "1\t1\tsad\tspeech\t0.5\t0.25\t-0.5\tn/a",
    ]


def test_the_page_of_a_session_has_valence(
    pleasant_model: Path, sound: Samples, tmp_path: Path
) -> None:
    lines = tmp_path / "classified.jsonl"
    records = records_of(pleasant_model, sound)
    lines.write_text("".join(json.dumps(record) + "\n" for record in records))
    write_report(lines, tmp_path / "page.html", model=pleasant_model)
    page = (tmp_path / "page.html").read_text("utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    windows = [record["valence"] for record in records if record["type"] == "window"]
    assert [window["valence"] for window in data["windows"]] == windows


def test_classifying_is_the_same_with_valence_and_without(
    tiny_model: Path, pleasant_model: Path
) -> None:
    frames = np.random.default_rng(0).normal(-40, 9, (100, 16)).astype(np.float32)
    one, other = (load(path).predict(frames) for path in (tiny_model, pleasant_model))
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert one.activation == other.activation
