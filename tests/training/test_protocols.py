"""A protocol, from training to figures: every fold is tested by a network trained without it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import EmotionModel
from training.corpora import splits
from training.corpora.emotions import LABELS
from training.data.batches import BatchConfig
from training.evaluation.figures import ProtocolFigures
from training.evaluation.results import Measurement
from training.networks.config import NetworkConfig
from training.protocols import EIGHT, Setting, cross_validate
from training.recipes.config import Config

pytestmark = pytest.mark.slow  # whole trainings

TINY = Config(
    corpora=("ravdess", "tess"),
    network=NetworkConfig(channels=(8,), lstm=4),
    batches=BatchConfig(size=8, per_epoch=16),
    takes=0,
    epochs=1,
)
TESS = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small corpora, spoken by espeak-ng under the names of RAVDESS and of TESS."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks for this test, is not installed")
    folder = tmp_path_factory.mktemp("data")
    ravdess = [
        f"ravdess/03-01-{emotion:02}-01-01-01-{actor:02}"
        for emotion, actor in product(range(1, 9), range(1, 5))
    ]
    tess = [f"tess/{who}_back_{code}" for who, code in product(("OAF", "YAF"), TESS)]
    for place, name in enumerate(ravdess + tess):
        path = folder / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        voice = ["-p", str(place), "-s", str(120 + place), "-w", str(path)]
        text = "Kids are talking by the door."
        subprocess.run(["espeak-ng", *voice, text], check=True)
    return folder


@pytest.fixture(scope="module")
def setting(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    base = tmp_path_factory.mktemp("protocols")
    return Setting(TINY, data, cache=base / "cache", folder=base / "runs")


@pytest.fixture(scope="module")
def left_out(setting: Setting) -> Measurement[ProtocolFigures]:
    """Each of the two corpora left out once."""
    return cross_validate("corpora", setting, [0])


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_each_fold_is_tested_by_the_file_of_its_own_run(
    left_out: Measurement[ProtocolFigures], setting: Setting
) -> None:
    assert set(left_out.figures.by_fold) == {"corpora/ravdess", "corpora/tess"}
    for corpus, clips in (("ravdess", 32), ("tess", 14)):
        folder = setting.folder / f"corpora-{corpus}-seed0"
        model = EmotionModel(folder / "fold.onnx")
        assert model.info.labels == LABELS
        assert model.info.provenance["protocol"] == f"corpora/{corpus}"
        taught = json.loads((folder / "splits.json").read_text())["train"]
        assert not any(name.startswith(corpus) for name in taught)
        tested = json.loads((folder / "test.json").read_text())
        assert sum(map(sum, tested["confusion"])) == clips
        assert tested["uar"] == left_out.figures.by_fold[f"corpora/{corpus}"]


def test_figures_are_means_over_folds_and_seeds(left_out: Measurement[ProtocolFigures]) -> None:
    figures = left_out.figures
    assert figures.uar.mean == pytest.approx(sum(figures.by_fold.values()) / 2)
    assert figures.uar.deviation is None  # of one seed
    assert 0 <= figures.ece.mean <= 1
    assert "1 seed;" in left_out.protocol


def test_a_fold_is_calibrated_by_what_others_were_tested_on(
    left_out: Measurement[ProtocolFigures], setting: Setting
) -> None:
    """With two folds, each one's threshold is what the other one's test clips gave."""
    abstain = {
        corpus: json.loads(
            (setting.folder / f"corpora-{corpus}-seed0" / "calibration.json").read_text()
        )["abstain"]
        for corpus in ("ravdess", "tess")
    }
    for corpus, other in (("ravdess", "tess"), ("tess", "ravdess")):
        file = setting.folder / f"corpora-{corpus}-seed0" / "fold.onnx"
        assert EmotionModel(file).info.abstain == abstain[other]


def test_what_is_done_is_not_done_again(
    left_out: Measurement[ProtocolFigures], setting: Setting
) -> None:
    before = files(setting.folder)
    assert cross_validate("corpora", setting, [0]) == left_out
    assert files(setting.folder) == before


def test_another_setting_does_not_touch_the_runs(
    left_out: Measurement[ProtocolFigures], setting: Setting
) -> None:
    before = files(setting.folder)
    other = replace(setting, config=replace(TINY, epochs=2))
    with pytest.raises(LiveSerError, match="other settings"):
        cross_validate("corpora", other, [0])
    assert files(setting.folder) == before


@pytest.fixture
def luna(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """One fold of the four actors that there are, in place of five of twenty-four; taught."""
    monkeypatch.setattr(splits, "LUNA_FOLDS", ((1, 2),))
    alone = replace(TINY, corpora=("ravdess",))
    return replace(setting, config=alone, folder=tmp_path, teachers=1)


def test_the_protocols_of_ravdess_tell_calm_from_neutral_and_may_be_taught(luna: Setting) -> None:
    result = cross_validate("luna", luna, [0])
    assert result.labels == EIGHT
    assert result.figures.recalls.keys() == set(EIGHT)
    assert np.sum(result.figures.confusion, axis=1).tolist() == [2] * 8
    assert EmotionModel(luna.folder / "luna-1-seed0" / "fold.onnx").info.labels == EIGHT

    assert "1 seed, each taught by 1 of its kind;" in result.protocol
    pupil, teacher = (
        json.loads((folder / "splits.json").read_text()) for folder in sorted(luna.folder.iterdir())
    )
    assert [Path(folder).name for folder in pupil["teachers"]] == ["luna-1-seed1000"]
    assert teacher["teachers"] == []
    assert teacher["train"] == pupil["train"]
    with pytest.raises(LiveSerError, match="other settings"):
        cross_validate("luna", replace(luna, teachers=0), [0])


def test_an_epoch_chosen_on_test_clips_tests_nothing(setting: Setting) -> None:
    chosen = replace(setting, config=replace(TINY, select_on_test=True))
    with pytest.raises(LiveSerError, match="chosen on the test clips"):
        cross_validate("corpora", chosen, [0])
