"""What the user says of an utterance while it is heard: when it counts, and what is learnt."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Block, Samples
from live_ser.audio.demo import DEMO
from live_ser.audio.resampler import Resampler
from live_ser.errors import InvalidArgument
from live_ser.inference.listening import Listening
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.inference.stream import Stream
from live_ser.inference.takes import take_of
from live_ser.live.session import Session
from live_ser.live.sink import Sink
from live_ser.live.sinks import ProfileSink, RecordSink
from live_ser.live.tally import Tally
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.model.profile import Profile
from live_ser.model.speaker import RunningBaseline
from live_ser.model.taught import TaughtModel, Teaching
from live_ser.records.csv import Csv
from live_ser.records.labelled import read_labelled
from live_ser.records.record import Record, standing_labels
from live_ser.records.schema import check_record
from live_ser.report.page import write_report
from tests.support.source import BlockSource
from tests.support.tiny_model import tiny_info, write_model

RATE = 16000


@pytest.fixture(scope="module")
def network() -> EmotionModel:
    return load()


@pytest.fixture(scope="module")
def spoken() -> list[Samples]:
    """Two utterances, each with two seconds of silence after it."""
    speech, rate = soundfile.read(DEMO, dtype="float32")
    assert rate == RATE
    silence = np.zeros(2 * RATE, np.float32)
    parts = speech[: int(3.8 * RATE)], speech[int(4.2 * RATE) : int(7.6 * RATE)]
    return [np.concatenate([part, silence]) for part in parts]


def test_a_label_s_take_is_that_of_a_recording_of_the_utterance(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    stream = Stream(network)
    for utterance in spoken:
        stream.feed(utterance)
    stream.feed(np.zeros(30 * RATE, np.float32))  # it stays the newest one
    label = stream.label("happy")
    take = take_of(network, [spoken[1]], "happy")
    assert label is not None
    assert label.take is not None
    assert take is not None
    assert 5.8 <= label.start < label.end <= 9.2
    assert label.take.seconds == pytest.approx(take.seconds, abs=0.2)
    near, far = (np.linalg.norm(label.take.embedding - one) for one in (take.embedding, 0))
    assert near < 0.25 * far


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> list[Samples]:
    """Sentences of about two seconds, without silence at their ends."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks for this test, is not installed")
    found, path = [], tmp_path_factory.mktemp("espeak") / "sentence.wav"
    for text in (
        "The letter came this morning.",
        "It will be ready by tomorrow afternoon.",
        "The train leaves at half past nine.",
        "We meet again on Thursday evening.",
    ):
        subprocess.run(["espeak-ng", "-s", "150", "-w", path, text], check=True)
        sound, rate = soundfile.read(path, dtype="float32")
        resampler = Resampler(rate, RATE)
        sound = np.concatenate([resampler.push(sound), resampler.finish()])
        loud = np.flatnonzero(np.abs(sound) > 0.01)
        found.append(sound[loud[0] : loud[-1]])
    return found


@pytest.mark.parametrize("pause", [0.3, 0.5, 0.6])
@pytest.mark.parametrize("after", [0.0, 3.0])
def test_a_label_applies_to_the_newest_sentence_and_no_earlier_one(
    network: EmotionModel, sentences: list[Samples], pause: float, after: float
) -> None:
    stream, silence = Stream(network), np.zeros(round(pause * RATE), np.float32)
    for sentence in sentences:
        stream.feed(silence)
        stream.feed(sentence)
        start, end = stream.seconds - len(sentence) / RATE, stream.seconds
    stream.feed(np.zeros(round(after * RATE), np.float32))
    label = stream.label("angry")
    assert label is not None
    assert label.start == pytest.approx(start, abs=0.15)
    assert label.end == pytest.approx(end, abs=0.5)
    assert label.take is not None
    assert label.take.seconds <= label.end - label.start + 0.1


def test_a_label_of_long_speech_without_a_pause_applies_to_a_window_at_most(
    network: EmotionModel, sentences: list[Samples]
) -> None:
    stream = Stream(network)
    stream.feed(np.concatenate(sentences * 2))
    label = stream.label("angry")
    assert label is not None
    assert stream.seconds - label.end < 0.6
    assert 0.7 <= label.end - label.start <= network.info.window


def test_an_utterance_can_be_labelled_while_it_is_spoken(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    stream = Stream(network)
    stream.feed(spoken[0])
    stream.feed(spoken[1][: 2 * RATE])
    label = stream.label("sad")
    assert label is not None
    assert label.start >= 5.8


def test_an_utterance_that_has_only_begun_is_not_the_last_one(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    stream = Stream(network)
    beginning = np.flatnonzero(np.abs(spoken[1]) > 0.05)[0]
    stream.feed(spoken[0])
    stream.feed(spoken[1][: int(beginning + 0.45 * RATE)])
    label = stream.label("sad")
    assert label is not None
    assert label.end < 5


def test_before_anybody_spoke_there_is_nothing_to_label(network: EmotionModel) -> None:
    stream = Stream(network)
    stream.feed(np.zeros(3 * RATE, np.float32))
    assert stream.label("happy") is None
    assert stream.undo() is None
    with pytest.raises(InvalidArgument, match="no emotion 'bored'"):
        stream.label("bored")


def test_labels_count_from_the_next_utterance_on_and_an_undone_one_never(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    def classified(*labels: str, undo: bool = False) -> list[list[Prediction]]:
        """The predictions of four utterances, with a label after each but the last."""
        stream, found = Stream(network, smoothing=0), []
        for utterance, label in zip([*spoken, *spoken], [*labels, ""], strict=True):
            found.append([p for p in stream.feed(utterance) if p.raw])
            if label:
                stream.label(label)
                found[-1] += [p for p in stream.feed(np.zeros(RATE // 2)) if p.raw]
                stream.feed(np.zeros(RATE * 3 // 2))
                if undo:
                    stream.undo()
            else:
                stream.feed(np.zeros(2 * RATE))
        return found

    def happy(predictions: list[Prediction]) -> float:
        """The share of happy in happy and sad."""
        shares = [p.raw["happy"] / (p.raw["happy"] + p.raw["sad"]) for p in predictions if p.raw]
        return float(np.mean(shares))

    plain = classified("", "", "")
    taught = classified("happy", "sad", "")
    undone = classified("happy", "sad", "", undo=True)
    assert [[p.raw for p in one] for one in taught[:2]] == [
        [p.raw for p in one] for one in plain[:2]
    ]
    assert happy(taught[2]) > 0.7 > happy(plain[2])  # the first sentence once more
    assert [p.raw for p in undone[2]] == [p.raw for p in plain[2]]


def test_another_label_of_the_same_utterance_takes_the_place_of_the_first(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    monitor = Monitor(network, iter([spoken[0]]))
    assert any(prediction.label for prediction in monitor)
    first, second = monitor.label("happy"), monitor.label("sad")
    assert first is not None
    assert second is not None
    assert second.replaced == (first.take,)
    assert second.guess in network.info.labels
    undone = monitor.undo()
    assert undone is not None
    assert (undone.start, undone.end, undone.label) == (second.start, second.end, None)
    assert undone.replaced == (second.take,)
    assert monitor.undo() is None


def test_labels_add_to_what_was_taught_before(network: EmotionModel, spoken: list[Samples]) -> None:
    first = take_of(network, [spoken[0]], "happy")
    assert first is not None
    stream = Stream(TaughtModel(network, Teaching(network, [first])))
    stream.feed(spoken[1])
    label = stream.label("sad")
    assert label is not None
    assert label.take is not None
    stream.feed(spoken[0])
    model = stream._labelling.model
    assert isinstance(model, TaughtModel)
    assert model.teaching is not None
    assert model.teaching.report.takes == {"happy": 1, "sad": 1}


def test_a_model_that_cannot_be_taught_is_labelled_all_the_same(
    tmp_path: Path, spoken: list[Samples]
) -> None:
    plain = EmotionModel(write_model(tmp_path / "plain.onnx", tiny_info()))
    stream = Stream(plain)
    stream.feed(spoken[0])
    label = stream.label("happy")
    assert label is not None
    assert label.take is None


class Writer:
    """Keeps the records."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def write(self, record: Record) -> None:
        check_record(record)
        self.records.append(record)

    def close(self) -> None:
        pass


class Notes(Sink):
    """Keeps what the user is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


class Spoken(BlockSource):
    """A microphone that hears a sound."""

    def __init__(self, sound: Samples) -> None:
        super().__init__(RATE, np.array_split(sound, len(sound) // 1600))


def run_session(
    network: EmotionModel, sound: Samples, keys: dict[float, str], *sinks: Sink
) -> list[Record]:
    """A session at a microphone in which keys are pressed after so many seconds; its records."""
    session = Session(Spoken(sound), RATE)
    writer = Writer()
    waiting = sorted(keys.items())

    def key() -> str:
        return waiting.pop(0)[1] if waiting and session.seconds >= waiting[0][0] else ""

    session.key = key
    with session:
        for sink in (RecordSink(writer, "the records"), *sinks):
            session.sinks.attach(sink)
        session.run(Monitor(network, session))
    return writer.records


def test_keys_label_the_last_utterance_in_the_record_and_the_profile(
    network: EmotionModel,
    spoken: list[Samples],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    profile = Profile.named("anna", network)
    baseline = RunningBaseline.of(network)
    assert baseline is not None
    tally = Tally()
    keys = {4.5: "2", 9.5: "3", 9.7: "4", 11.0: "6", 12.0: "u"}
    sinks = ProfileSink(profile, baseline), tally
    sound = np.concatenate([*spoken, np.zeros(4 * RATE, np.float32)])
    records = run_session(network, sound, keys, *sinks)
    happy, sad, angry, *later = [record for record in records if record["type"] == "label"]
    labels = network.info.labels
    assert [one["label"] for one in (happy, sad, angry)] == [*labels[1:4]]
    assert 0 <= happy["start"] < happy["end"] < 4.5 < sad["start"] < sad["end"] < 9.5
    assert happy["guess"] in labels
    assert [one["label"] for one in later] == [labels[5], None]
    assert standing_labels([happy, sad, angry, *later]) == [happy]
    kept = profile.read()
    assert kept is not None
    assert [take.emotion for take in kept[1]] == ["happy"]
    (line,) = (line for line in tally.lines(14.0) if "label" in line)
    agreed = "had said" if happy["guess"] == labels[1] else "had not said"
    assert line == f"1 label; the model {agreed} the same"


def test_a_loop_over_a_microphone_is_taught_while_it_runs(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    def loop() -> Listening:
        sound = np.concatenate([*spoken, spoken[1]])
        return Listening(network, lambda: nullcontext(Spoken(sound)))

    def happy(*, undo: bool) -> float:
        """How happy the second utterance sounds again, after it was labelled so."""
        listening, found = loop(), [0.0]
        given = [(9.5, "happy"), (4.5, "sad")]
        for one in listening:
            if given and one.end > given[-1][0]:
                label = listening.label(given.pop()[1])
                assert label is not None
                assert label.end <= one.end
                if undo:
                    assert listening.undo()
                    assert listening.undo() is None
            if one.raw and one.end > 11:
                found.append(one.raw["happy"])
        return max(found)

    assert happy(undo=False) > happy(undo=True)
    assert loop().label("happy") is None
    with pytest.raises(InvalidArgument, match="no emotion 'bored'"):
        loop().label("bored")


def test_a_task_labels_beside_a_loop_that_waits_for_sound(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    is_labelled = threading.Event()

    class Waiting(Spoken):
        """A microphone that goes on only once somebody has labelled what it heard."""

        def __iter__(self) -> Iterator[Block]:
            yield from super().__iter__()
            assert is_labelled.wait(60)

    async def run() -> list[Prediction]:
        listening = Listening(network, lambda: nullcontext(Waiting(spoken[0])))

        async def label() -> None:
            while listening.label("sad") is None:
                await asyncio.sleep(0.01)
            is_labelled.set()

        task = asyncio.create_task(label())
        found = [one async for one in listening]
        await task
        return found

    assert asyncio.run(run())


def test_a_label_with_nothing_to_label_is_told(network: EmotionModel) -> None:
    notes = Notes()
    run_session(network, np.zeros(2 * RATE, np.float32), {0.5: "1", 1.0: "u", 1.5: "9"}, notes)
    assert notes.lines == ["not labelled: nobody has spoken yet", "no label to take back"]


def test_a_report_shows_what_the_person_said_beside_what_the_model_said(
    network: EmotionModel, spoken: list[Samples], tmp_path: Path
) -> None:
    records = run_session(network, np.concatenate(spoken), {4.5: "2", 9.5: "7"})
    (tmp_path / "session.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
    with Path.open(tmp_path / "session.csv", "w") as stream:
        table = Csv(stream, network.info.labels)
        for record in records:
            table.write(record)
    for name in ("session.jsonl", "session.csv"):
        write_report(tmp_path / name, tmp_path / f"{name}.html")
        page = (tmp_path / f"{name}.html").read_text()
        assert "Your labels" in page
        assert "<td>surprised</td>" in page
        assert "of 2 labelled utterances" in page
    (tmp_path / "session.wav").write_bytes(b"")
    found = read_labelled(tmp_path / "session.jsonl", network.info.labels)
    assert [one.emotion for one in found] == ["happy", "surprised"]
