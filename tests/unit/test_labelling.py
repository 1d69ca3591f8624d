"""What the user says of an utterance while it is heard: when it counts, and what is learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.demo import DEMO
from live_ser.errors import InvalidArgument
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.inference.stream import Stream
from live_ser.inference.takes import hear_take
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.model.taught import TaughtModel, Teaching
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
    take = hear_take(network, [spoken[1]], "happy")
    assert label is not None
    assert label.take is not None
    assert take is not None
    assert 5.8 <= label.start < label.end <= 9.2
    assert label.take.seconds == pytest.approx(take.seconds, abs=0.1)
    near, far = (np.linalg.norm(label.take.embedding - one) for one in (take.embedding, 0))
    assert near < 0.1 * far


def test_an_utterance_can_be_labelled_while_it_is_spoken(
    network: EmotionModel, spoken: list[Samples]
) -> None:
    stream = Stream(network)
    stream.feed(spoken[0])
    stream.feed(spoken[1][: 2 * RATE])
    label = stream.label("sad")
    assert label is not None
    assert label.start >= 5.8


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
    def judged(*labels: str, undo: bool = False) -> list[list[Prediction]]:
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

    plain = judged("", "", "")
    taught = judged("happy", "sad", "")
    undone = judged("happy", "sad", "", undo=True)
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
    first = hear_take(network, [spoken[0]], "happy")
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
