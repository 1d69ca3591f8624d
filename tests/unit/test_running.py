"""How tests are run: those in real time by a machine that has time, groups by one worker."""

from __future__ import annotations

import pytest

TRIED = """
from collections import Counter
from contextlib import contextmanager

import pytest

from tests.support import real_time
from tests.support.starvation import Starvation

machine, tries = Starvation(), Counter()

@pytest.fixture(autouse=True)
def starved(monkeypatch):
    machine.worst = 9.0

@pytest.fixture(scope="module", autouse=True)
def measured():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(real_time, "starvation", contextmanager(lambda: iter([machine])))
        yield

def passes_at(number, name, folder):
    tries[name] += 1
    assert not list(folder.iterdir())
    (folder / "made").touch()
    assert tries[name] == number

@pytest.mark.real_time
def test_that_passes(tmp_path):
    passes_at(1, "passes", tmp_path)

@pytest.mark.real_time
def test_that_passes_late(tmp_path):
    passes_at(3, "late", tmp_path)

@pytest.mark.real_time
def test_that_fails_each_time(tmp_path):
    passes_at(4, "fails", tmp_path)

@pytest.mark.real_time
def test_that_fails_while_nothing_starves(tmp_path):
    machine.worst = 0.01
    passes_at(2, "quiet", tmp_path)

def test_of_another_kind(tmp_path):
    passes_at(2, "other", tmp_path)
"""


def test_what_fails_on_a_starved_machine_is_run_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRIED)
    run = pytester.runpytest_inprocess("-v", "-p", "tests.support.real_time", "-p", "no:xdist")
    outcomes = [line.split("::")[1].split(" [")[0] for line in run.outlines if "%]" in line]
    assert [line.split(" ", 1) for line in outcomes] == [
        ["test_that_passes", "PASSED"],
        ["test_that_passes_late", "PASSED AGAIN"],
        ["test_that_fails_each_time", "FAILED"],
        ["test_that_fails_while_nothing_starves", "FAILED"],
        ["test_of_another_kind", "FAILED"],
    ]


def test_a_group_is_run_by_one_worker(request: pytest.FixtureRequest) -> None:
    if not hasattr(request.config, "workerinput"):
        pytest.skip("one process runs all tests")
    for item in request.session.items:
        for marker in item.iter_markers("xdist_group"):
            assert f"@{marker.args[0]}" in item.nodeid
