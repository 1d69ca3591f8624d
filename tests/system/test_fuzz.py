"""Whatever bytes live-ser is given, it answers or says in one line why not.

``make fuzz`` does the same at length. Every case is made by its seed alone: see mutations.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from live_ser.audio.clipping import CLIPPED
from tests.support.command import live_ser, records
from tests.support.fuzz import fuzz
from tests.support.mutations import KINDS, made

CASES = 120
# Seeds that once ended otherwise.
ONCE_FOUND = {
    "audio": [25, 390, 391, 395, 398],
    "model": [213, 284, 350, 366],
    "profile": [240, 802, 1101, 1416],
    "session": [474, 482, 493, 677, 741, 757, 764, 776, 798, 896],
}


@pytest.mark.parametrize("kind", ONCE_FOUND)
def test_files_that_were_once_read_wrongly_end_in_an_answer_or_one_line(kind: str) -> None:
    pytest.importorskip("onnx")
    assert fuzz(kind, ONCE_FOUND[kind]) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_broken_files_end_in_an_answer_or_one_line(kind: str) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("pyarrow")
    assert fuzz(kind, range(10_000, 10_000 + CASES)) == []


def test_broken_sounds_leave_no_trace_in_the_results(tiny_model: Path, tmp_path: Path) -> None:
    paths = []
    for seed in range(80):
        content, suffix = made("audio", seed)
        paths.append(tmp_path / f"{seed}{suffix}")
        paths[-1].write_bytes(content)
    run = live_ser("file", "--format", "jsonl", "--model", tiny_model, *paths)
    classified = {record["source"] for record in records(run.stdout)}
    lines = run.stderr.splitlines()
    assert all(line.startswith("live-ser: ") for line in lines)
    refused = [line for line in lines if CLIPPED not in line]
    assert len(classified) + len(refused) == len(paths)
    assert classified
    assert refused
