"""Commands are cheap to start."""

from __future__ import annotations

import subprocess
import sys

import pytest

import live_ser

HEAVY = ("tensorflow", "keras", "librosa", "numba", "onnxruntime", "sounddevice", "scipy", "numpy")


@pytest.mark.parametrize("module", ["live_ser.cli.main", "live_ser"])
def test_the_command_line_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_version_is_told() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "live_ser", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"live-ser {live_ser.__version__}\n"
