"""A long session leaves nothing behind: three quarters of a minute of it; ``make soak`` listens
for an hour."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.sound_server import missing

soak = pytest.importorskip(
    "tests.support.soak", reason="psutil is not installed", exc_type=ImportError
)
SECONDS = 45


@pytest.mark.slow
@pytest.mark.real_time
@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts handles, not descriptors")
def test_a_microphone_costs_no_more_later_than_at_first(tiny_model: Path) -> None:
    microphones = [soak.irregular] if missing() else [soak.irregular, soak.pulse]
    with ThreadPoolExecutor() as threads:
        runs = [threads.submit(listens, SECONDS, tiny_model) for listens in microphones]
        watches = [run.result() for run in runs]
    for watch in watches:
        assert watch.faults() == [], watch.summary()
        assert abs(watch.drift) < 1
