"""The wheel, away from the repository: what a person gets who installs live-ser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("build")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, developer: dict[str, str]) -> Path:
    if not any((ROOT / "models").glob("*.onnx")):
        pytest.skip("no model is trained yet")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "-o", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, env=developer)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, developer: dict[str, str]
) -> Path:
    """The folder of the commands of an environment that holds the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [str(commands / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(pip, check=True, cwd=folder, env=developer)
    return commands


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        command, check=False, cwd=folder, capture_output=True, text=True, env=environ
    )


def test_it_carries_the_models_the_clip_and_the_types_but_not_the_training(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "live_ser/models/live_ser.onnx" in names
    assert "live_ser/models/live_ser_open.onnx" in names
    assert "live_ser/demo.flac" in names
    assert "live_ser/py.typed" in names
    assert not [name for name in names if name.startswith(("training", "tests", "benchmarks"))]


@pytest.mark.slow
def test_it_classifies_a_file_with_no_repository_around_it(installed: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.flac"
    clip.write_bytes((ROOT / "live_ser" / "demo.flac").read_bytes())
    result = run([str(installed / "live-ser"), "file", "clip.flac", "--format", "jsonl"], tmp_path)
    assert result.returncode == 0, result.stderr
    record = [json.loads(line) for line in result.stdout.splitlines()]
    clips = [entry for entry in record if entry["type"] == "clip"]
    assert [entry["source"] for entry in clips] == ["clip.flac"]


@pytest.mark.slow
def test_it_tells_what_its_model_is(installed: Path, tmp_path: Path) -> None:
    result = run([str(installed / "live-ser"), "info"], tmp_path)
    assert result.returncode == 0, result.stderr
    assert "happy" in result.stdout


@pytest.mark.slow
def test_it_brings_no_training_framework(installed: Path, tmp_path: Path) -> None:
    listed = run([str(installed / "python"), "-m", "pip", "list", "--format", "json"], tmp_path)
    names = {entry["name"].lower() for entry in json.loads(listed.stdout)}
    assert "live-ser" in names
    assert not names & {"tensorflow", "tensorflow-cpu", "keras", "librosa", "numba", "torch"}
