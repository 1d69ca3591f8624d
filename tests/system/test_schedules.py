"""After faults of a real sound server, every sound lies where it was.

``python -m tests.support.schedules`` lets fifty random schedules happen, on a quiet machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.schedules import (
    Fault,
    Outcome,
    late_bursts,
    play,
    stall,
    stop,
    suspend_room,
)
from tests.support.sound_server import missing

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or missing() is not None,
    reason="the private sound server needs ALSA and PulseAudio",
)

BUSY = 0.25  # seconds of tolerance: other tests keep the machine busy
STARVED = 0.02  # seconds that a thread waits to be woken, if the machine has no time left
TRIES = 3  # of a schedule during which the machine was starved


def faults_of(seed: int, model: Path, *faults: Fault) -> list[str]:
    """What a schedule shows of ``listen``, rather than of a machine without time for it.

    The sound server and the witness need to be woken in time, too. So a schedule that shows a
    fault while the machine starved is played again; a fault of ``listen`` shows itself again.
    """
    seen: list[Outcome] = []
    while len(seen) < TRIES:
        seen.append(play(seed, model, *faults))
        if not seen[-1].faults_beyond(BUSY):
            return []
        if seen[-1].starved < STARVED:
            break
    return [str(outcome) for outcome in seen]


@pytest.mark.parametrize("faults", [(stop, suspend_room), (stall, late_bursts)])
def test_after_faults_the_recording_lies_where_the_sound_was(
    tiny_model: Path, faults: tuple[Fault, ...]
) -> None:
    assert faults_of(0, tiny_model, *faults) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_after_a_random_schedule_the_recording_lies_where_the_sound_was(
    tiny_model: Path, seed: int
) -> None:
    assert faults_of(seed, tiny_model) == []
