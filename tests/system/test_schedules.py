"""After faults of a real sound server, every sound lies where it was; ``LIVE_SER_SLOW_TESTS=1``
lets fifty random schedules happen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.schedules import Fault, late_bursts, play, stall, stop, suspend_room
from tests.support.sound_server import missing

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or missing() is not None,
    reason="the private sound server needs ALSA and PulseAudio",
)


@pytest.mark.parametrize("faults", [(stop, suspend_room), (stall, late_bursts)])
def test_after_faults_the_recording_lies_where_the_sound_was(
    tiny_model: Path, faults: tuple[Fault, ...]
) -> None:
    outcome = play(0, tiny_model, *faults)
    # Other tests keep the machine busy; what is promised of a quiet one is measured by the fifty.
    assert outcome.faults_beyond(0.25) == [], str(outcome)


@pytest.mark.skipif(
    not os.environ.get("LIVE_SER_SLOW_TESTS"),
    reason="it takes a quarter of an hour: LIVE_SER_SLOW_TESTS=1",
)
@pytest.mark.parametrize("seed", range(50))
def test_after_a_random_schedule_the_recording_lies_where_the_sound_was(
    tiny_model: Path, seed: int
) -> None:
    outcome = play(seed, tiny_model)
    assert outcome.faults == [], str(outcome)
