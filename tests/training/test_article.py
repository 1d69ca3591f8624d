"""The article's system does what the article did, and says where it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import keras
import librosa
import numpy as np
import pytest
import soundfile

import live_ser
from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from training.corpora.clips import Clip
from training.corpora.emotions import AROUSED, LABELS
from training.data.utterances import Utterances
from training.networks.article import PeakReference, SummedActivation
from training.recipes.article import Article, padded
from training.recipes.article_takes import take_frames
from training.recipes.begin import begin
from training.recipes.config import ArticleConfig
from training.recipes.export import export_run
from training.recipes.presets import PRESETS
from training.recipes.run import Run
from training.trainer import fit

CONFIG = ArticleConfig()
SPEC = CONFIG.features.spec()
RATE = SPEC.sample_rate
DEMO = Path(live_ser.__file__).with_name("demo.flac")


def tone(path: Path, seconds: float, hertz: float = 440.0, start: float = 0.0) -> Clip:
    """A recording of a tone that begins at ``start``."""
    times = np.arange(round(seconds * RATE)) / RATE
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * hertz * times) * (times >= start), RATE)
    return Clip(path, "sad", "test/1", "test", f"test/{path.stem}")


def random_frames(count: int, seed: int = 0) -> Frames:
    rng = np.random.default_rng(seed)
    return rng.normal(-40, 15, (count, SPEC.n_mels)).astype(np.float32)


def utterances(clips: int = 21, frames: int = 60) -> Utterances:
    """Three takes of each of some clips."""
    return Utterances(
        tuple(
            Clip(Path(f"{i}.wav"), LABELS[i % 7], f"test/{i % 3}", "test", f"test/{i}")
            for i in range(clips)
        ),
        tuple(
            tuple(random_frames(frames + i, seed=10 * i + k) for k in range(3))
            for i in range(clips)
        ),
    )


def test_the_settings_are_the_article_s() -> None:
    assert (RATE, SPEC.n_fft, SPEC.hop_length, SPEC.n_mels) == (44_100, 2048, 512, 200)
    assert (CONFIG.offset, CONFIG.window) == (0.5, 3.5)
    assert (CONFIG.batch, CONFIG.epochs) == (200, 150)
    assert (CONFIG.noise, CONFIG.noisy_copies) == (0.008, 2)
    assert (CONFIG.pitch, CONFIG.pitched_share) == (4.0, 0.9)
    assert "calm" not in CONFIG.classes
    assert not CONFIG.pad_with_peak
    assert not CONFIG.select_on_test
    model = Article(CONFIG).network()
    assert [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv1D)] == [
        64,
        128,
        256,
    ]
    assert [x.units for x in model.layers if isinstance(x, keras.layers.LSTM)] == [540, 256]
    assert [x.units for x in model.layers if isinstance(x, keras.layers.Dense)] == [100, 50, 20, 7]


def test_decibels_are_librosa_s_under_the_peak() -> None:
    frames = random_frames(298)
    wanted = librosa.power_to_db(10.0 ** (frames / 10), ref=np.max, top_db=80)
    got = keras.ops.convert_to_numpy(PeakReference(298)(frames[np.newaxis]))[0]
    assert np.allclose(got, wanted, atol=1e-3)


@pytest.mark.parametrize("padding", [-80.0, 0.0])
@pytest.mark.parametrize("count", [1, 100, 298, 400])
def test_any_window_comes_out_as_long_as_the_network_looks(count: int, padding: float) -> None:
    layer = PeakReference(298, padding)
    once = keras.ops.convert_to_numpy(layer(random_frames(count)[np.newaxis]))
    assert once.shape == (1, 298, SPEC.n_mels)
    assert np.all(once[:, count:] == padding)
    assert np.array_equal(keras.ops.convert_to_numpy(layer(once)), once)


@pytest.mark.parametrize("accident", [False, True])
def test_short_clips_are_padded_with_silence_unless_the_accident_is_asked_for(
    accident: bool,
) -> None:
    config = replace(CONFIG, pad_with_peak=accident)
    model = Article(config).network()
    seen = keras.Model(model.input, model.get_layer("peak_reference").output)
    short = random_frames(200)
    alone = keras.ops.convert_to_numpy(seen(short[np.newaxis]))
    batched = keras.ops.convert_to_numpy(seen(padded([short, random_frames(298)], 298, config)))
    assert np.all(alone[0, 200:] == (0.0 if accident else -80.0))
    # Padded in a batch to train on or by the network itself live: the same.
    assert np.allclose(alone[0], batched[0], atol=1e-4)


def test_activation_is_the_share_of_the_aroused_emotions() -> None:
    logits = np.random.default_rng(0).normal(0, 4, (50, 7)).astype(np.float32)
    p = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    aroused = [label in AROUSED for label in LABELS]
    wanted = p[:, aroused].sum(axis=1) + p[:, LABELS.index("disgust")] / 2
    said = keras.ops.sigmoid(SummedActivation(LABELS)(logits))
    assert np.allclose(keras.ops.convert_to_numpy(said)[:, 0], wanted, atol=1e-5)


def test_the_first_half_second_of_a_clip_is_not_heard(tmp_path: Path) -> None:
    late = take_frames(tone(tmp_path / "late.wav", 4.5, start=0.5), CONFIG, SPEC)
    always = take_frames(tone(tmp_path / "always.wav", 4.5), CONFIG, SPEC)
    assert late.shape == (298, 200)
    assert np.allclose(late, always, atol=0.1)


def test_a_clip_that_would_be_over_by_then_is_still_heard(tmp_path: Path) -> None:
    assert len(take_frames(tone(tmp_path / "short.wav", 0.4), CONFIG, SPEC)) == 1


def test_a_clip_shorter_than_a_frame_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError, match="shorter than one frame"):
        take_frames(tone(tmp_path / "click.wav", 0.01), CONFIG, SPEC)


def test_noisy_copies_have_noise_of_the_article_s_strength(tmp_path: Path) -> None:
    silence = tone(tmp_path / "silence.wav", 4.0, start=9.0)
    first, second = (take_frames(silence, CONFIG, SPEC, take) for take in (1, 2))
    # Parseval: white noise has this power under the Hann window, in every linear band.
    power = 10 * np.log10(0.008**2 * 0.375 * SPEC.n_fft)
    bands = 10 * np.log10(SPEC.mel_matrix.sum(axis=1))
    assert abs(np.median(first - bands) - power) < 2
    assert not np.array_equal(first, second)
    assert np.array_equal(first, take_frames(silence, CONFIG, SPEC, 1))


def test_pitched_copies_are_four_semitones_higher(tmp_path: Path) -> None:
    config = replace(CONFIG, pitched_share=1.0)
    clip = tone(tmp_path / "tone.wav", 4.0, hertz=440.0)
    centres = librosa.mel_frequencies(SPEC.n_mels + 2, fmin=0, fmax=RATE / 2)[1:-1]
    low, high = (
        centres[take_frames(clip, config, SPEC, take).mean(axis=0).argmax()] for take in (0, 3)
    )
    assert low == pytest.approx(440, abs=15)
    assert high == pytest.approx(440 * 2 ** (4 / 12), abs=15)


def test_most_training_clips_get_a_pitched_copy(tmp_path: Path) -> None:
    clip = tone(tmp_path / "clip.wav", 1.0)
    clips = [replace(clip, id=f"test/{i}") for i in range(40)]
    found = Article(CONFIG).load(clips, data=tmp_path, cache=tmp_path / "cache")
    counts = Counter(len(takes) for takes in found.takes)
    assert set(counts) == {3, 4}
    assert 28 <= counts[4] <= 39
    again = Article(CONFIG).load(clips, data=tmp_path, cache=tmp_path / "cache")
    for takes, cached in zip(found.takes, again.takes, strict=True):
        assert len(takes) == len(cached)
        assert all(np.allclose(a, b, atol=0.07) for a, b in zip(takes, cached, strict=True))


def test_each_take_trains_once_an_epoch_in_an_order_of_its_own() -> None:
    train = utterances()
    config = replace(CONFIG, batch=10)

    def marks(epoch: int, seed: int = 0) -> list[float]:
        drawn = Article(replace(config, seed=seed)).batches(train, epoch)
        assert [len(drawn[i][0]) for i in range(len(drawn))] == [10, 10, 10, 10, 10, 10, 3]
        return [float(frames[0, 0]) for i in range(len(drawn)) for frames in drawn[i][0]]

    everything = sorted(float(take[0, 0]) for takes in train.takes for take in takes)
    assert sorted(marks(0)) == everything
    assert sorted(marks(1)) == everything
    assert marks(0) == marks(0)
    assert marks(0) != marks(1)
    assert marks(0) != marks(0, seed=1)


def test_targets_are_the_emotions_of_the_clips() -> None:
    train = utterances()
    by_mark = {
        float(take[0, 0]): clip.emotion
        for clip, takes in zip(train.clips, train.takes, strict=True)
        for take in takes
    }
    frames, wanted = Article(CONFIG).batches(train)[0]
    said = [LABELS[row.argmax()] for row in wanted["emotion"]]
    assert said == [by_mark[float(one[0, 0])] for one in frames]


def test_every_point_is_scaled_by_the_training_clips() -> None:
    train = utterances()
    model = Article(CONFIG).compiled(train)
    scaled = keras.Model(model.input, model.get_layer("scaler").output)
    takes = [take for one in train.takes for take in one]
    points = keras.ops.convert_to_numpy(scaled(padded(takes, CONFIG.window_frames, CONFIG)))
    assert np.allclose(points.mean(axis=0), 0, atol=1e-3)
    # Where every clip is padded nothing varies, and nothing may blow up live.
    heard = points[:, :60].std(axis=0)
    assert np.allclose(heard, 1, atol=1e-2)
    assert np.all(points[:, 90:] == 0)
    loud = keras.ops.convert_to_numpy(scaled(random_frames(298)[np.newaxis]))
    assert np.abs(loud).max() < 100


def test_clips_are_classified_as_recorded_and_each_alone() -> None:
    test = utterances(9)
    model = Article(CONFIG).network()
    said = Article(CONFIG).predict(model, test)
    assert said.emotion.shape == (9, 7)
    assert said.activation.shape == (9,)
    alone = model(test.takes[4][0][np.newaxis], training=False)
    assert np.allclose(said.emotion[4], alone["emotion"][0], atol=1e-5)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus under RAVDESS's names: every emotion of five actors, as tones."""
    data = tmp_path_factory.mktemp("data")
    (data / "ravdess").mkdir()
    for emotion, actor in product(range(1, 9), range(1, 6)):
        name = f"03-01-{emotion:02}-01-01-01-{actor:02}.wav"
        tone(data / "ravdess" / name, 1.2, hertz=100.0 * emotion + 10 * actor)
    return data


def trained(corpus: Path, **changes: Any) -> Run:
    """A run of three epochs on the article's split."""
    config = replace(CONFIG, epochs=3, pitched_share=0.0, **changes)
    folder = corpus.parent / f"run-{'-'.join(changes)}"
    run = begin(folder, config, corpus, PRESETS["article"].split)
    fit(run, corpus, corpus.parent / "cache")
    return run


@pytest.fixture(scope="module")
def run(corpus: Path) -> Run:
    return trained(corpus)


def test_the_preset_trains_on_the_article_s_split(run: Run) -> None:
    assert PRESETS["article"].config is ArticleConfig
    assert run.config == replace(CONFIG, epochs=3, pitched_share=0.0)
    splits = run.read_json("splits.json")
    assert splits["name"] == "article"
    assert (len(splits["train"]), len(splits["test"])) == (28, 7)
    assert not any(name.startswith("ravdess/03-01-02") for name in splits["train"])


def test_the_last_epoch_is_reported_and_the_best_one_as_what_it_is(run: Run) -> None:
    figures = run.read_json("metrics.json")
    accuracies = [row["test_accuracy"] for row in run.history() if "test_accuracy" in row]
    assert figures["weights"] == "last epoch"
    assert figures["accuracy"] == pytest.approx(accuracies[-1])
    assert figures["best_epoch_on_test"]["test_accuracy"] == max(accuracies)


def test_weights_are_chosen_on_the_test_split_only_where_that_is_asked_for(corpus: Path) -> None:
    run = trained(corpus, select_on_test=True)
    figures = run.read_json("metrics.json")
    assert figures["weights"] == "best epoch on test"
    assert figures["accuracy"] == pytest.approx(figures["best_epoch_on_test"]["test_accuracy"])


def test_nothing_can_be_chosen_on_a_test_split_that_is_not_there(corpus: Path) -> None:
    config = replace(CONFIG, select_on_test=True)
    with pytest.raises(LiveSerError, match="no test clips"):
        begin(corpus.parent / "never", config, corpus, "all")
    assert not (corpus.parent / "never").exists()


def test_the_exported_model_classifies_a_clip_like_any_other(run: Run) -> None:
    path = run.folder / "article.onnx"
    info = export_run(run, path)
    assert info.labels == LABELS
    assert not info.gate.trim
    command = [sys.executable, "-m", "live_ser", "file", "--format", "jsonl", "--model", str(path)]
    done = subprocess.run([*command, str(DEMO)], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    clip = next(record for record in found if record["type"] == "clip")
    assert clip["state"] in {"speech", "uncertain"}
    assert sum(clip["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert 0 <= clip["activation"] <= 1


def test_a_live_window_is_classified_as_the_whole_model_in_keras_classifies_it(run: Run) -> None:
    path = run.folder / "parity.onnx"
    export_run(run, path)
    model = Article(CONFIG).network()
    model.load_weights(run.weights)
    calibration = run.read_json("calibration.json")
    for count in (20, 150, 298):
        window = random_frames(count, seed=count)
        logits = model(window[np.newaxis], training=False)["emotion"] / calibration["temperature"]
        wanted = keras.ops.convert_to_numpy(keras.ops.softmax(logits))[0]
        said = live_ser.model.onnx_model.load(path).predict(window).probabilities
        assert np.allclose(said, wanted, atol=1e-5)
