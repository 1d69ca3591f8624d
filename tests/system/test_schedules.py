"""After faults of a real sound server, every sound lies where it was.

``python -m tests.support.schedules`` lets fifty random schedules happen, on a quiet machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.schedules import (
    Fault,
    late_bursts,
    play,
    stall,
    stop,
    suspend_room,
)
from tests.support.sound_server import missing

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or missing() is not None,
        reason="the private sound server needs ALSA and PulseAudio",
    ),
]

BUSY = 0.25  # seconds of tolerance: other tests keep the machine busy


@pytest.mark.parametrize("faults", [(stop, suspend_room), (stall, late_bursts)])
def test_after_faults_the_recording_lies_where_the_sound_was(
    tiny_model: Path, faults: tuple[Fault, ...]
) -> None:
    outcome = play(0, tiny_model, *faults)
    assert outcome.faults_beyond(BUSY) == [], str(outcome)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_after_a_random_schedule_the_recording_lies_where_the_sound_was(
    tiny_model: Path, seed: int
) -> None:
    outcome = play(seed, tiny_model)
    assert outcome.faults_beyond(BUSY) == [], str(outcome)
