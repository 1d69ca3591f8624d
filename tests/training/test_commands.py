"""The commands of training answer at once, and load nothing heavy to say that a word is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from live_ser.errors import LiveSerError
from training import command, evaluate, fit
from training.evaluation import results

COMMANDS = ("fit", "export", "evaluate", "explore", "fetch", "join")
HEAVY = ("tensorflow", "keras", "librosa", "sklearn", "scipy", "matplotlib", "onnxruntime")


def loaded(module: str, words: list[str]) -> tuple[int | str | None, list[str]]:
    """How a command ends, and what it has loaded by then."""
    code = (
        "import json, runpy, sys\n"
        "sys.argv[1:] = sys.argv[2:]\n"
        "try:\n"
        f"    runpy.run_module('training.{module}', run_name='__main__')\n"
        "except SystemExit as end:\n"
        f"    print(json.dumps([end.code, [m for m in {HEAVY} if m in sys.modules]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "", *words], capture_output=True, text=True, check=True
    )
    end, modules = json.loads(done.stdout.splitlines()[-1])
    return end, modules


@pytest.mark.parametrize("module", COMMANDS)
def test_help_loads_nothing_heavy(module: str) -> None:
    assert loaded(module, ["--help"]) == (0, [])


@pytest.mark.parametrize(
    ("module", "words", "code"),
    [
        ("fit", ["--corpora=ravdes"], 1),
        ("fit", ["--set=network.lstm=0"], 1),
        ("fit", ["--data=/nowhere"], 1),
        ("fit", ["--resume=/nowhere"], 1),
        ("export", ["/nowhere"], 1),
        ("evaluate", ["--corpora=own=/nowhere"], 1),
        ("evaluate", ["--parts=noises"], 2),
    ],
)
def test_a_wrong_word_is_said_before_anything_heavy_is_loaded(
    module: str, words: list[str], code: int
) -> None:
    assert loaded(module, words) == (code, [])


def test_without_data_it_is_said_how_to_name_them() -> None:
    with pytest.raises(LiveSerError) as refused:
        fit.main(["--data=/nowhere"])
    assert "--data" in refused.value.hint
    assert "LIVE_SER_DATA" in refused.value.hint


def fail_loudly() -> None:
    subprocess.run([sys.executable, "-c", "import os; os.write(2, b'no such')"], check=True)
    raise ImportError


def test_what_libraries_write_while_they_load_is_shown_where_they_fail(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with command.loading_quietly():
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'compiled so')"], check=True)
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), command.loading_quietly():
        fail_loudly()
    assert capfd.readouterr().err == "no such"


def test_every_part_of_an_evaluation_can_be_asked_for() -> None:
    from training.evaluation.measurements import MEASURES

    assert tuple(MEASURES) == results.PARTS
    with pytest.raises(LiveSerError, match="no part is called"):
        evaluate.main(["--parts=nothing"])


def test_the_loss_of_an_epoch_is_the_mean_over_its_batches() -> None:
    pytest.importorskip("tensorflow")
    import keras

    from training.recipes.epoch import train_epoch

    class Batches:
        """Three batches, whose losses a network without weights cannot change."""

        def __len__(self) -> int:
            return 3

        def __getitem__(
            self, index: int
        ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
            return np.zeros((4, 1), np.float32), {"out": np.full((4, 1), index, np.float32)}

        def on_epoch_end(self) -> None:
            pass

    given = keras.Input((1,))
    model = keras.Model(given, {"out": keras.layers.Dense(1, use_bias=False)(given)})
    model.compile("sgd", loss={"out": "mean_squared_error"})
    losses = train_epoch(model, Batches(), seed=0, epoch=0)
    assert losses["loss"] == pytest.approx((0 + 1 + 4) / 3)
