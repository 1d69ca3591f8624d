"""Training: what goes in, what comes out, and what a kill can't take."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import live_ser.model.onnx_model
from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames

pytest.importorskip("tensorflow")

import h5py
import keras

from training import join
from training.corpora.catalogue import read_corpus
from training.data.batches import BatchConfig
from training.data.frame_cache import cached_frames
from training.joined import Joined
from training.joined_file import export_joined
from training.networks.calibration import Calibration
from training.networks.config import NetworkConfig
from training.networks.head import HeadConfig
from training.networks.pretrained import GE2E
from training.recipes.begin import begin
from training.recipes.config import ArticleConfig, Config, RunConfig
from training.recipes.export import export, export_run
from training.recipes.presets import PRESETS, recipe
from training.recipes.run import Run, Splits
from training.trainer import fit

SMALL = [
    "--corpora=ravdess",
    "--epochs=2",
    "--set=batches.per_epoch=48",
    "--set=batches.size=16",
    "--set=network.channels=[16]",
    "--set=network.lstm=8",
    "--set=takes=1",
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus under RAVDESS's names, spoken by espeak-ng: 8 emotions, 8 actors."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks for this test, is not installed")
    folder = tmp_path_factory.mktemp("data") / "ravdess"
    for emotion, actor in product(range(1, 9), range(1, 9)):
        path = folder / f"Actor_{actor:02}" / f"03-01-{emotion:02}-01-01-01-{actor:02}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        voice = ["-p", str(10 * actor), "-s", str(100 + 15 * emotion), "-w", str(path)]
        subprocess.run(
            ["espeak-ng", *voice, "Kids are talking by the door, all day long."], check=True
        )
    return folder.parent


def training(
    *arguments: object, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )
    assert not (check and done.returncode), done.stderr
    return done


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs, trained by the command."""
    base = tmp_path_factory.mktemp("runs")
    folder, home = base / "straight", base / "home"
    home.mkdir()
    words = ["training.fit", "--data", corpus, "-o", folder, "--cache", base / "cache", *SMALL]
    done = training(*words, HOME=str(home))
    assert "held-out speakers: UAR" in done.stdout
    assert list(home.iterdir()) == []  # nothing is kept or reported but the run
    return folder


def test_a_run_leaves_all_that_it_promises(run: Path) -> None:
    files = {path.name for path in run.iterdir()}
    assert files >= {
        "config.json",
        "splits.json",
        "history.csv",
        "metrics.json",
        "calibration.json",
        "curves.png",
        "confusion.png",
        "weights.weights.h5",
        "live_ser.onnx",
    }
    with (run / "history.csv").open(newline="") as file:
        assert [float(row["epoch"]) for row in csv.DictReader(file)] == [1, 2]


def test_the_exported_model_classifies_a_clip(run: Path, corpus: Path) -> None:
    clip = next(corpus.rglob("*.wav"))
    command = [sys.executable, "-m", "live_ser", "file", "--format", "jsonl"]
    done = subprocess.run(
        [*command, "--model", str(run / "live_ser.onnx"), str(clip)],
        capture_output=True,
        text=True,
        check=True,
    )
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    verdict = next(record for record in verdicts if record["type"] == "clip")
    assert verdict["state"] in {"speech", "uncertain"}
    assert sum(verdict["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_the_model_file_says_what_it_was_trained_on(run: Path) -> None:
    info = live_ser.model.onnx_model.load(run / "live_ser.onnx").info
    assert info.labels[:2] == ("neutral", "happy")
    assert info.provenance["corpora"] == ["ravdess"]
    assert info.provenance["speakers"] == 6
    assert info.licence == "CC-BY-NC-SA-4.0"


def test_no_speaker_held_out_has_trained(run: Path) -> None:
    splits = json.loads((run / "splits.json").read_text())
    train, test = ({name[-2:] for name in splits[part]} for part in ("train", "test"))
    assert test
    assert not train & test


@pytest.mark.slow
@pytest.mark.parametrize(
    "there",
    [
        pytest.param("splits.json", id="before an epoch"),
        pytest.param("checkpoint-0001.weights.h5", id="between epochs"),
        pytest.param("checkpoint-0002.weights.h5", id="after the last epoch"),
        pytest.param("weights.weights.h5", id="while it is classified"),
    ],
)
def test_a_killed_run_goes_on_and_comes_to_the_same(run: Path, corpus: Path, there: str) -> None:
    folder = run.with_name(f"killed-{there}")
    base = ["--data", str(corpus), "--cache", str(run.with_name("cache"))]
    command = [sys.executable, "-m", "training.fit", *base, "-o", str(folder), *SMALL]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 300
        while not (folder / there).exists():
            assert process.poll() is None, "ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    training("training.fit", *base, "--resume", folder)
    assert_same(folder, run)
    # The converter's names of nodes differ from run to run; what the file says does not.
    window = np.random.default_rng(0).normal(-30, 10, (200, 64)).astype(np.float32)
    wanted, got = (
        live_ser.model.onnx_model.load(path / "live_ser.onnx").predict(window)
        for path in (run, folder)
    )
    np.testing.assert_allclose(got.probabilities, wanted.probabilities, atol=1e-6)


def assert_same(folder: Path, run: Path) -> None:
    """What came of two runs is the same, bit for bit."""
    for name in ("history.csv", "metrics.json", "calibration.json"):
        assert (folder / name).read_bytes() == (run / name).read_bytes(), name
    one, other = weights(folder), weights(run)
    assert one.keys() == other.keys()
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []


def weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Every array that came of a run, the optimizer's among them."""
    found: dict[str, NDArray[np.float32]] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(folder / "weights.weights.h5") as file:
        file.visititems(keep)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["live_ser", "article"])
def test_a_run_that_goes_on_after_an_epoch_comes_to_the_same_bit_for_bit(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    """With all that has a state: batches of five lengths, dropout, a rate that rises and falls.

    And the average of the weights, and statistics of the layers that normalise.
    """
    kept = Run.checkpoint

    def keep(run: Run, model: keras.Model, epoch: int) -> None:
        kept(run, model, epoch)
        shutil.copytree(run.folder, tmp_path / f"after-{epoch}", dirs_exist_ok=True)

    config: RunConfig = Config(
        corpora=("ravdess",),
        epochs=3,
        takes=0,
        batches=BatchConfig(size=8, per_epoch=32),
        network=NetworkConfig(channels=(8, 8), lstm=8),
    )
    if preset == "article":
        config = ArticleConfig(epochs=3, select_on_test=True)
    split = PRESETS[preset].split
    straight = begin(tmp_path / "straight", config, corpus, split)
    with monkeypatch.context() as patch:
        patch.setattr(Run, "checkpoint", keep)
        fit(straight, corpus, tmp_path / "cache")
    for epoch in range(1, config.epochs):
        resumed = Run.open(tmp_path / f"after-{epoch}")
        fit(resumed, corpus, tmp_path / "cache")
        assert_same(resumed.folder, straight.folder)


def test_two_runs_never_share_a_folder(run: Path, corpus: Path) -> None:
    done = training("training.fit", "--data", corpus, "-o", run, *SMALL, check=False)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("network.lstn=128", "no setting 'network.lstn=128'"),
        ('preset="article"', "no setting"),
        ("network.lstm=abc", "network.lstm cannot be abc"),
        ("network.lstm=0", "one unit at least"),
        ("network.dropout=1.5", "less than 1"),
        ('network.normalise="windows"', "band or window"),
        ("batches.lengths=3", "a list is wanted"),
        ("augment.warp=[1]", "a list of 2 is wanted"),
        ("batches.speakers=64", "each speaker of a batch"),
        ('epochs="many"', "a whole number is wanted"),
        ("gate.threshold=7", "not between 0 and 1"),
        ("gate={}", "gate cannot be {}"),
        ("hop=10", "the next one begins within it"),
        ("seed=-1", "a seed of 0 or more"),
        ("takes=-1", "there are no takes, or some"),
        ("learning_rate=NaN", "NaN is no number"),
        ('corpora=["ravdess","ravdess"]', "each once"),
        ('classes=["angry","calmer"]', "two at least of"),
        ("features.n_mels=0", "n_mels"),
        ("baseline.typical=400", "no more than memory"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(setting: str, said: str) -> None:
    with pytest.raises(LiveSerError) as refused:
        Config().with_setting(setting)
    assert said in str(refused.value)


def test_nothing_is_made_where_a_setting_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = training("training.fit", "-o", folder, "--set=network.lstm=0", check=False)
    assert done.returncode == 1
    assert "one unit at least" in done.stderr
    assert "Traceback" not in done.stderr
    assert not folder.exists()


def test_a_finished_run_is_not_trained_again(run: Path, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    history = (folder / "history.csv").read_text()
    weights = (folder / "weights.weights.h5").read_bytes()
    fit(Run.open(folder), corpus, tmp_path / "cache")
    assert (folder / "history.csv").read_text() == history
    assert (folder / "weights.weights.h5").read_bytes() == weights


def test_who_computes_features_hears_what_the_cache_gives(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.normal(-40, 10, (length, 8)).astype(np.float32) for length in (5, 9)]
    computed = []

    def compute() -> list[Frames]:
        computed.append(frames)
        return frames

    file = tmp_path / "cache" / "features.npz"
    cold, warm = cached_frames(file, compute), cached_frames(file, compute)
    assert len(computed) == 1
    file.write_bytes(file.read_bytes()[:200])  # the disk was full
    again = cached_frames(file, compute)
    assert len(computed) == 2
    for one, its, other, true in zip(cold, warm, again, frames, strict=True):
        np.testing.assert_array_equal(one, its)
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, true, atol=0.05)


def test_a_figure_that_there_is_not_is_null(tmp_path: Path) -> None:
    nothing = Splits((), "all", False, (), (), 0)
    kept = Run.new(tmp_path / "run", Config(), nothing)
    kept.write_json("metrics.json", {"recalls": {"sad": np.float64("nan"), "happy": 0.5}})
    text = (kept.folder / "metrics.json").read_text()
    said = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert said == {"recalls": {"sad": None, "happy": 0.5}}


def tried(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path) -> None:
    hold = (
        "import sys; from pathlib import Path; from training.recipes.run import Run; import keras;"
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]); model.compile();"
        "Run(Path(sys.argv[1])).restore(model); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        second = tried(command)
        assert "another process trains" in second.stderr
        first.kill()
    third = tried(command)
    assert third.stdout == "held\n"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount")
def test_a_full_disk_leaves_the_last_good_epoch(run: Path, corpus: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        folder, filler = disk / "run", disk / "filler"
        base = ["--data", corpus, "--cache", run.with_name("cache")]
        command = [sys.executable, "-m", "training.fit", *base, "-o", folder, *SMALL]
        with subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 300
            while not (folder / "checkpoint-0001.weights.h5").exists():
                assert process.poll() is None, "ended before its first epoch"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            _, said = process.communicate(timeout=300)
        assert process.returncode == 1
        assert "Traceback" not in said
        assert "cannot write" in said
        filler.unlink()
        training("training.fit", *base, "--resume", folder)
        rows = (run / "history.csv").read_text(), (folder / "history.csv").read_text()
        for wanted, got in zip(*map(csv.DictReader, map(io.StringIO, rows)), strict=True):
            assert float(got["loss"]) == pytest.approx(float(wanted["loss"]), rel=1e-3)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("content", ["nothing", "text", "one emotion"])
def test_a_folder_without_what_it_takes_is_named(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "ravdess"
    folder.mkdir()
    if content == "text":
        (folder / "03-01-01-01-01-01-01.wav").write_text("not a sound")
    if content == "one emotion":
        soundfile.write(folder / "03-01-01-01-01-01-01.wav", np.zeros(9), 16000)
    done = training("training.fit", "--data", tmp_path, "--corpora=ravdess", check=False)
    assert done.returncode == 1
    assert str(folder) in done.stderr
    assert "RAVDESS" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_export_that_differs_from_keras_writes_nothing(run: Path, tmp_path: Path) -> None:
    config = Run.open(run).config
    model = recipe(config).network()
    path = tmp_path / "model.onnx"
    with pytest.raises(LiveSerError, match="no real windows"):
        export(model, config, Calibration(), [], path)
    odd = [np.full((200, 64), np.nan, np.float32)]
    with pytest.raises(LiveSerError, match="differ"):
        export(model, config, Calibration(), odd, path)
    assert not list(tmp_path.iterdir())


def test_the_exported_network_measures_as_the_one_that_trains(run: Path) -> None:
    from training.data.baselines import BaselineConfig, draw_others

    training_model = recipe(Run.open(run).config).network()
    training_model.load_weights(Run.open(run).weights)
    rng = np.random.default_rng(0)
    moods = ["neutral", "happy", "happy", "sad"]
    others = draw_others(moods, BaselineConfig(absent=0.0), rng)
    assert not np.diag(others).any()
    assert (others.sum(axis=1) < 1).all()  # they lean towards a typical voice
    windows = rng.normal(-40, 10, (4, 120, 64)).astype(np.float32)
    wanted = training_model.predict_on_batch({"log_mel": windows, "others": others})
    model = live_ser.model.onnx_model.load(run / "live_ser.onnx")
    voices = np.stack([np.asarray(model.predict(window).voice) for window in windows])
    temperature = json.loads((run / "calibration.json").read_text())["temperature"]
    emotion = np.exp(wanted["emotion"] / temperature)
    for window, baseline, raised in zip(windows, others @ voices, emotion, strict=True):
        got = model.predict(window, baseline).probabilities
        np.testing.assert_allclose(got, raised / raised.sum(), atol=1e-4)


def test_small_deviations_keep_their_digits() -> None:
    """Or Keras and ONNX Runtime round them apart, and a long training ends in no file."""
    from training.networks.cnn_lstm import AttentionPooling

    steady = 0.9 + 1e-2 * np.random.default_rng(0).standard_normal((1, 60, 8))
    steady = steady.astype(np.float32)
    pooling = AttentionPooling(heads=1)
    pooled = np.asarray(pooling(steady))[0]
    score = np.exp(np.asarray(pooling.score(steady), np.float64)[0])
    weights = score / score.sum()
    mean = (weights * steady[0]).sum(axis=0)
    deviation = np.sqrt((weights * (steady[0] - mean) ** 2).sum(axis=0))
    np.testing.assert_allclose(pooled[:8], mean, rtol=1e-6)
    np.testing.assert_allclose(pooled[8:], deviation, rtol=1e-5)


def test_a_model_is_calibrated_by_all_who_left_voices_out(run: Path, tmp_path: Path) -> None:
    others = [tmp_path / "one", tmp_path / "another"]
    size = live_ser.model.onnx_model.load(run / "live_ser.onnx").info.offset_matrix.shape[1]
    for place, folder in enumerate(others):
        shutil.copytree(run, folder)
        metrics = json.loads((run / "metrics.json").read_text())
        metrics |= {"clips": 10 + place, "uar": 0.2 + 0.2 * place}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        found = {"temperature": 1.0, "activation": [1.0, 0.0], "abstain": 0.3 + 0.2 * place}
        added = np.full((7, size), 1.0 + 2 * place)
        added[4] *= 1 - place  # who left out the second corpus heard nobody fearful
        found["offsets"] = added.tolist()
        (folder / "calibration.json").write_text(json.dumps(found))
    file = tmp_path / "model.onnx"
    runs = [word for folder in others for word in ("--calibration-run", folder)]
    training("training.export", run, "-o", file, *runs)
    info = live_ser.model.onnx_model.load(file).info
    assert info.abstain == 0.4
    assert info.offset_matrix[:, 0].tolist() == [2, 2, 2, 2, 1, 2, 2]
    assert info.provenance["figures"]["clips"] == 21
    assert info.provenance["figures"]["uar"] == pytest.approx(0.3)


@pytest.mark.slow
def test_a_network_is_taught_by_others(run: Path, corpus: Path) -> None:
    folder = run.with_name("taught")
    base = ["--data", corpus, "--cache", run.with_name("cache"), *SMALL]
    training("training.fit", *base, "-o", folder, "--teacher", run)
    splits = json.loads((folder / "splits.json").read_text())
    assert splits["teachers"] == [str(run.resolve())]
    with (run / "history.csv").open() as alone, (folder / "history.csv").open() as taught:
        assert next(csv.DictReader(alone))["loss"] != next(csv.DictReader(taught))["loss"]


def test_a_teacher_that_has_heard_too_much_is_refused(run: Path, corpus: Path) -> None:
    base = ["--data", corpus, "--cache", run.with_name("cache"), *SMALL, "--teacher", run]
    folder = run.with_name("refused")
    done = training("training.fit", *base, "-o", folder, "--split=article", check=False)
    assert done.returncode == 1
    assert "was trained on clips that this split leaves out" in done.stderr
    assert "Traceback" not in done.stderr
    assert not folder.exists()


def test_nor_may_who_taught_the_teacher_have_heard_it(
    run: Path, corpus: Path, tmp_path: Path
) -> None:
    heard_all, teacher = tmp_path / "heard-all", tmp_path / "teacher"
    splits = json.loads((run / "splits.json").read_text())
    for folder, changes in (
        (heard_all, {"train": splits["train"] + splits["test"]}),
        (teacher, {"teachers": [str(heard_all)]}),
    ):
        shutil.copytree(run, folder)
        (folder / "splits.json").write_text(json.dumps({**splits, **changes}))
    config = Run.open(run).config
    with pytest.raises(LiveSerError, match="was trained on clips that this split leaves out"):
        begin(tmp_path / "new", config, corpus, "held-out", teachers=[teacher])
    assert not (tmp_path / "new").exists()


def test_who_left_nothing_out_calibrates_nobody(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    shutil.copytree(run, folder)
    splits = json.loads((run / "splits.json").read_text())
    (folder / "splits.json").write_text(json.dumps({**splits, "test": []}))
    file = tmp_path / "model.onnx"
    with pytest.raises(LiveSerError, match="held nothing out"):
        export_run(Run.open(run), file, [Run.open(folder)])
    assert not file.exists()


@pytest.mark.slow
def test_an_exported_file_teaches_where_nothing_is_left_out(run: Path, corpus: Path) -> None:
    base = ["--data", corpus, "--cache", run.with_name("cache"), *SMALL]
    folder, file = run.with_name("taught-by-a-file"), run / "live_ser.onnx"
    words = [*base, "-o", folder, "--no-export", "--teacher", file]
    refused = training("training.fit", *words, check=False)
    assert refused.returncode == 1
    assert "does not state its training clips" in refused.stderr
    other = training("training.fit", *words, "--set=features.n_mels=40", "--split=all", check=False)
    assert other.returncode == 1
    assert "has other features" in other.stderr
    assert not folder.exists()
    training("training.fit", *words, "--split=all")
    assert json.loads((folder / "splits.json").read_text())["teachers"] == [str(file)]
    assert (folder / "weights.weights.h5").is_file()


@pytest.fixture(scope="module")
def joined(run: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's network beside an encoder of random weights."""
    path = GE2E.path(corpus)
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.1, shape) for name, shape in GE2E.shapes.items()}
    held: dict[str, Any] = {name: one.astype(np.float32) for name, one in weights.items()}
    np.savez(path, **held)
    file = tmp_path_factory.mktemp("joined") / "joined.onnx"
    _join(run / "live_ser.onnx", file, run, corpus)
    return file


def _join(network: Path, file: Path, run: Path, corpus: Path) -> None:
    config = HeadConfig(surer=0.35)
    joined = Joined(network, config, corpus, run.parent / "cache")
    export_joined(joined, file, [Run.open(run)])


def test_an_encoder_is_joined_to_a_network(joined: Path, run: Path) -> None:
    network, both = (live_ser.model.onnx_model.load(one) for one in (run / "live_ser.onnx", joined))
    assert network.info.baseline
    assert both.info.baseline
    assert both.info.baseline.size == network.info.baseline.size + 8
    assert both.info.provenance["encoder"]["licence"] == "Apache-2.0"
    assert both.info.provenance["corpora"] == ["ravdess"]
    assert both.info.offset_matrix.any()
    frames = np.random.default_rng(1).normal(-40, 10, (120, 64)).astype(np.float32)
    alone, summed = network.predict(frames), both.predict(frames)
    assert alone.voice is not None
    assert summed.voice is not None
    assert alone.valence is None
    assert summed.valence is not None
    # The weights of its LSTM are in 8 bits.
    np.testing.assert_allclose(summed.voice[: len(alone.voice)], alone.voice, atol=0.01)
    against = both.predict(frames, summed.voice)
    assert np.abs(against.probabilities - summed.probabilities).max() > 1e-4


def test_a_joined_file_hears_the_newest_seconds(joined: Path) -> None:
    model = live_ser.model.onnx_model.load(joined)
    frames = np.random.default_rng(1).normal(-40, 10, (347, 64)).astype(np.float32)
    whole, newest = model.predict(frames), model.predict(frames[-240:])
    np.testing.assert_array_equal(whole.probabilities, newest.probabilities)
    np.testing.assert_array_equal(whole.voice, newest.voice)
    np.testing.assert_array_equal(whole.embedding, newest.embedding)


def test_a_joined_file_can_be_joined_anew(
    joined: Path, run: Path, corpus: Path, tmp_path: Path
) -> None:
    """The network is taken out of it as it was put in."""
    again = tmp_path / "joined.onnx"
    _join(joined, again, run, corpus)
    frames = np.random.default_rng(1).normal(-40, 10, (120, 64)).astype(np.float32)
    first, second = (live_ser.model.onnx_model.load(one).predict(frames) for one in (joined, again))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_a_head_learns_from_recordings_of_ones_own(
    joined: Path, run: Path, corpus: Path, tmp_path: Path
) -> None:
    """They count beside the network's corpora in the file's provenance and licence."""
    own = tmp_path / "own"
    for clip in read_corpus("ravdess", corpus).clips[::2]:
        path = own / clip.emotion / clip.speaker[-2:] / clip.path.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip.path, path)
    file = tmp_path / "mine.onnx"
    words = [f"--data={corpus}", f"--cache={tmp_path / 'cache'}", f"--calibration-run={run}"]
    network = str(run / "live_ser.onnx")
    join.main([network, f"--corpora=ravdess,mine={own}", "-o", str(file), *words])
    info = live_ser.model.onnx_model.load(file).info
    assert info.provenance["corpora"] == info.provenance["head"]["corpora"] == ["ravdess", "mine"]
    assert info.licence == "CC-BY-NC-SA-4.0"
    with pytest.raises(LiveSerError):
        join.main([network, "-o", network, *words])


def test_without_an_encoder_nothing_is_joined(run: Path, tmp_path: Path) -> None:
    with pytest.raises(LiveSerError) as caught:
        Joined(run / "live_ser.onnx", HeadConfig(), tmp_path, tmp_path)
    assert "python -m training.fetch ge2e" in str(caught.value.hint)
