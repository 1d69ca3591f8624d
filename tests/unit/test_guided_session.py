"""The guided session of ``live-ser teach``, with a voice and keys that are scripted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.demo import DEMO
from live_ser.cli.guided_session import Attempt, GuidedSession, prompts_of
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.model.profile import Profile

RATE = 16000


@pytest.fixture(scope="module")
def network() -> EmotionModel:
    return load()


@pytest.fixture
def profile(network: EmotionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return Profile.named("anna", network)


class Scene:
    """Somebody who speaks when asked, and presses keys when a take is over."""

    def __init__(self, network: EmotionModel, profile: Profile, keys: str) -> None:
        self.text = ""
        self._keys, self._pressed = list(keys), ""
        speech, rate = soundfile.read(DEMO, dtype="float32")
        assert rate == RATE
        self._speech = speech[: 3 * RATE]
        prompts = prompts_of(("happy", "sad"), 2)
        self.session = GuidedSession(
            network, profile, prompts, rounds=2, key=self._key, write=self._write
        )
        self.session.run(self._blocks())

    def _write(self, text: str) -> None:
        self.text += text

    def _key(self) -> str:
        key, self._pressed = self._pressed, ""
        return key

    def _blocks(self) -> Iterator[Samples]:
        pause = np.zeros(2 * RATE, np.float32)
        while self._keys:
            asked = self.text.count("Enter accept")
            for start in range(0, len(self._speech) + len(pause), 1600):
                if self.text.count("Enter accept") > asked:
                    break
                yield np.concatenate([self._speech, pause])[start : start + 1600]
            self._pressed = self._keys.pop(0)
            yield np.zeros(1600, np.float32)


def test_takes_are_written_down_as_they_are_accepted(
    network: EmotionModel, profile: Profile
) -> None:
    scene = Scene(network, profile, "\n\n\n\n")
    kept = profile.read()
    assert kept is not None
    assert len(scene.session.accepted) == 4
    assert scene.text.count("as you sound when you are") == 4
    assert "No sound is kept" in scene.text
    assert "Each left out in turn" in scene.text
    assert all(len(line) < 80 for line in scene.text.replace("\r", "\n").splitlines())


def test_what_was_accepted_is_there_whatever_happens_next(
    network: EmotionModel, profile: Profile
) -> None:
    Scene(network, profile, "\nrq")  # one accepted, the next repeated, and given up
    kept = profile.read()
    assert kept is not None
    assert len(kept[1]) == 1


def test_a_take_can_be_skipped_and_gone_back_to(network: EmotionModel, profile: Profile) -> None:
    scene = Scene(network, profile, "sbq")
    assert [line[:6] for line in scene.text.splitlines() if " of 4 " in line] == [
        "1 of 4",
        "2 of 4",
        "1 of 4",
    ]
    assert profile.read() is None


def test_a_take_that_will_not_do_is_told() -> None:
    rng = np.random.default_rng(0)
    tone = np.sin(np.arange(2 * RATE) / 10).astype(np.float32)
    pause = np.zeros(RATE, np.float32)

    def complaint(speech: float, *parts: Samples) -> str:
        return Attempt([part.astype(np.float32) for part in parts], speech).complaint()

    assert complaint(0.2, tone) == "too short"
    assert "clipped" in complaint(2, tone.clip(-0.7, 0.7) / 0.7, pause)
    assert "too soft" in complaint(2, tone * 1e-4, pause)
    assert "too noisy" in complaint(2, rng.normal(0, 0.1, 3 * RATE))
    assert not complaint(2, tone * 0.2, pause)


def test_the_order_mixes_emotions() -> None:
    order = prompts_of(("happy", "sad", "angry"), 4)
    assert sorted(order) == sorted(["happy", "sad", "angry"] * 4)
    assert all(one != other for one, other in pairwise(order))
