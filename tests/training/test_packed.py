"""Packed runs: what travels to a GPU, and what comes back."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from live_ser.errors import LiveSerError
from training.corpora.clips import Clip
from training.data.packed import packed_ids, read_packed, write_packed
from training.data.utterances import Utterances

pytest.importorskip("tensorflow")

import keras

from tests.training.test_training import SMALL, corpus, training  # noqa: F401  # a fixture
from training.networks.layers import Conv2D
from training.recipes.presets import recipe
from training.recipes.run import Run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LIKE = [one for one in SMALL if one != "--corpora=ravdess"]


def utterances() -> Utterances:
    rng = np.random.default_rng(0)
    clips = tuple(
        Clip(Path("there"), emotion, f"ravdess/{i}", "ravdess", f"ravdess/{i}", gender="f")
        for i, emotion in enumerate(("happy", "bored"))
    )
    levels = [rng.uniform(-110, 25, (n, 64)).astype(np.float32) for n in (30, 40, 50, 60)]
    return Utterances(clips, ((levels[0], levels[1]), (levels[2], levels[3])))


@pytest.mark.parametrize("step", [0.5, 1.0])
def test_packed_frames_come_back_within_half_a_step(tmp_path: Path, step: float) -> None:
    given = utterances()
    write_packed(tmp_path, given, step)
    found = read_packed(tmp_path)
    assert packed_ids(tmp_path) == ["ravdess/0", "ravdess/1"]
    assert [(c.id, c.emotion, c.speaker, c.gender) for c in found.clips] == [
        (c.id, c.emotion, c.speaker, c.gender) for c in given.clips
    ]
    for ours, theirs in zip(found.takes, given.takes, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, np.maximum(other, -100), atol=step / 2 + 1e-4)


def test_what_is_not_packed_is_said(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError, match="holds no packed features"):
        read_packed(tmp_path)
    write_packed(tmp_path, utterances())
    (tmp_path / "frames.xz").write_bytes(b"half")
    with pytest.raises(LiveSerError, match="holds no packed features"):
        read_packed(tmp_path)


@pytest.mark.parametrize(("kernel", "stride"), [((3, 5), 2), ((3, 3), 1)])
def test_convolutions_are_the_same_as_matrix_products(
    kernel: tuple[int, int], stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = Conv2D(6, kernel, stride, padding="same")
    window = np.random.default_rng(0).normal(size=(2, 21, 16, 3)).astype(np.float32)
    usual = np.asarray(layer(window))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    np.testing.assert_allclose(np.asarray(layer(window)), usual, atol=1e-5)


def test_weights_that_come_back_are_measured_and_exported(corpus: Path, tmp_path: Path) -> None:  # noqa: F811
    """What a GPU wrote is weights and a history; the rest is made where the corpora are."""
    data = ["--data", corpus, "--cache", tmp_path / "cache", "--corpora=ravdess"]
    pack = tmp_path / "pack"
    training("training.pack", *data, *LIKE, "--split=held-out", "--seeds=2", "-o", pack)
    assert sorted(path.name for path in (pack / "runs").iterdir()) == ["held-out-0", "held-out-1"]
    run = Run.unpack(pack / "runs" / "held-out-1", tmp_path)
    network = recipe(run.config).network()
    run.save_weights(network)
    run.write_history([{"epoch": 1.0, "loss": 2.0}, {"epoch": 2.0, "loss": 1.0}])
    utterances = read_packed(pack)
    run.save_windows(utterances)
    done = training("training.fit", *data, "--resume", run.folder)
    assert "UAR" in done.stdout
    assert run.finished
    assert (run.folder / "live_ser.onnx").is_file()
    again = recipe(run.config).network()
    run.load_weights(again)
    for one, other in zip(again.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_jax_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    done = training("training.fit", "--packed", tmp_path, check=False, KERAS_BACKEND="tensorflow")
    assert done.returncode == 1
    assert "pip install jax" in done.stderr


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_runs_train_side_by_side_as_they_would_alone(corpus: Path, tmp_path: Path) -> None:  # noqa: F811
    data = ["--data", corpus, "--cache", tmp_path / "cache", "--corpora=ravdess"]
    pack, out = tmp_path / "pack", tmp_path / "out"
    training("training.pack", *data, *LIKE, "--split=held-out", "--seeds=2", "-o", pack)
    training("training.fit", "--packed", pack, "-o", out, "--workers=1", KERAS_BACKEND="jax")
    both = [Run.open(out / f"held-out-{seed}") for seed in (0, 1)]
    losses = [[row["loss"] for row in run.history()] for run in both]
    assert all(len(rows) == 2 and np.isfinite(rows).all() for rows in losses)
    alone = tmp_path / "alone"
    (pack / "runs" / "held-out-0").rename(tmp_path / "kept")
    training("training.fit", "--packed", pack, "-o", alone, "--workers=1", KERAS_BACKEND="jax")
    again = [row["loss"] for row in Run.open(alone / "held-out-1").history()]
    np.testing.assert_allclose(again, losses[1], rtol=1e-3)
    training("training.fit", *data, "--resume", both[1].folder)
    assert both[1].finished
