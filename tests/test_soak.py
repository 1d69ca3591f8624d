"""A long session leaves nothing behind; ``make soak`` listens for an hour, twice."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from sound_server import missing

soak = pytest.importorskip("soak", reason="psutil is not installed", exc_type=ImportError)
SLOW = bool(os.environ.get("LIVE_SER_SLOW_TESTS"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts handles, not descriptors")
def test_a_microphone_with_irregular_blocks_costs_no_more_later_than_at_first(
    tiny_model: Path,
) -> None:
    watch = soak.irregular(120 if SLOW else 20, tiny_model)
    assert watch.faults() == [], watch.told()
    assert abs(watch.drift) < 1


@pytest.mark.skipif(not SLOW, reason="it takes two minutes: LIVE_SER_SLOW_TESTS=1")
def test_a_microphone_of_a_sound_server_costs_no_more_later_than_at_first(
    tiny_model: Path,
) -> None:
    if (program := missing()) is not None:
        pytest.skip(f"{program} is not installed")
    watch = soak.pulse(120, tiny_model)
    assert watch.faults() == [], watch.told()
