"""The demonstration: the intended emotion is shown, and each round begins anew."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import AGAIN, Block, Gap
from live_ser.audio.demo import DEMO, demo
from live_ser.inference.monitor import Monitor
from live_ser.model.onnx_model import load

RATE = 16_000


@pytest.mark.usefixtures("instant")
def test_each_round_is_named_and_tells_what_is_meant() -> None:
    seconds = soundfile.info(DEMO).duration
    intended: list[str] = []
    with demo(RATE) as source:
        assert source.name == "demo, round 1"
        assert source.intended == ""
        for block in source:
            if isinstance(block, Gap):
                break
            if source.intended not in intended[-1:]:
                intended.append(source.intended)
        assert isinstance(block, Gap)
        assert block.reason == AGAIN
        assert source.name == "demo, round 2"
        assert source.intended == ""
        again = list(islice(source, 3))
    assert intended[0] == ""
    assert len(intended) > 4
    assert set(intended[1:]) <= set(load().info.labels)
    assert seconds < 90
    assert len(again) == 3


def test_where_a_recording_begins_again_the_baseline_does(
    against_model: Path, speech: Path
) -> None:
    sound, rate = soundfile.read(speech, dtype="float32")
    heard = np.asarray(sound[:: rate // RATE], np.float32)
    blocks: list[Block] = [
        *np.array_split(heard, 100),
        Gap(0.0, AGAIN),
        *np.array_split(heard, 100),
    ]
    monitor = Monitor(load(against_model), blocks)
    seconds = [monitor.baseline.seconds for _ in monitor if monitor.baseline]
    half = len(seconds) // 2
    assert max(seconds[:half]) > 1
    assert min(seconds[half:]) == 0
    assert max(seconds[half:]) == pytest.approx(max(seconds[:half]), abs=0.6)


def test_the_usual_is_known_from_10_seconds_of_the_baseline_on_and_begins_anew_with_it(
    against_model: Path,
) -> None:
    """Short utterances between pauses count whole, as they do in the baseline."""
    heard, _ = soundfile.read(DEMO, dtype="float32")
    windows = list(Monitor(load(against_model), [heard, Gap(0.0, AGAIN), heard]))
    half = len(windows) // 2
    for around in (windows[:half], windows[half:]):
        spoken = [one for one in around if one.prosody and one.prosody.pitch and one.label]
        known = [one for one in spoken if (one.baseline or 0.0) >= 11]
        unknown = [one for one in spoken if (one.baseline or 0.0) <= 9]
        assert known
        assert unknown
        assert all(one.prosody and one.prosody.pitch_change is not None for one in known)
        assert all(one.prosody and one.prosody.pitch_change is None for one in unknown)


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that is replayed without waiting."""
    monkeypatch.setattr("live_ser.audio.files.wait_until", lambda moment: iter(()))
