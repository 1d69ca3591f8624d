"""The benchmarks run, each in its quickest form; what they measure, nobody looks at here."""

from __future__ import annotations

from importlib import import_module, util

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.table import Effort

NEEDS = {
    "rivals": ("keras", "librosa", "onnx"),
    "recordings": ("psutil",),
    "long_file": ("psutil",),
    "archive": ("psutil",),
    "memory": ("psutil",),
}
STARTS_PROCESSES = {*NEEDS, "start"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=[pytest.mark.slow] * (one in STARTS_PROCESSES)) for one in NAMES],
)
def test_each_benchmark_gives_a_table(name: str) -> None:
    for module in NEEDS.get(name, ()):
        if util.find_spec(module) is None:
            pytest.skip(f"needs {module}")
    table = import_module(f"benchmarks.{name}").measure(Effort.LEAST)
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)
