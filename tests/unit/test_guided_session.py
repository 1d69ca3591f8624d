"""The guided session of ``live-ser teach``, with a voice and keys that are scripted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.audio.demo import DEMO
from live_ser.cli.alternate_screen import BOLD, PLAIN, AlternateScreen
from live_ser.cli.attempt import Attempt
from live_ser.cli.guided_session import GuidedSession, prompts_of
from live_ser.inference.takes import take_of
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.model.profile import Profile

RATE = 16000


@pytest.fixture(scope="module")
def network() -> EmotionModel:
    return load()


@pytest.fixture
def profile(network: EmotionModel) -> Profile:
    return Profile.named("anna", network)


def fits(line: str) -> bool:
    """Whether a line fits into 80 columns, or is the paragraph that the screen wraps."""
    return len(line.replace(BOLD, "").replace(PLAIN, "")) < 80 or "This teaches" in line


class Scene:
    """Somebody who speaks when asked, and presses keys when a take is over."""

    def __init__(
        self, network: EmotionModel, profile: Profile, keys: str, speech: Samples | None = None
    ) -> None:
        self.pages: list[list[str]] = []
        self._keys, self._pressed = list(keys), "\n"  # which begins it
        demo, rate = soundfile.read(DEMO, dtype="float32")
        assert rate == RATE
        # Each has more than a second of speech before its first long pause.
        parts = [demo[at * RATE : (at + 3) * RATE] for at in (0, 12, 9, 21, 18)]
        self._speech = parts if speech is None else [speech]
        prompts = prompts_of(("happy", "sad"), 2)
        self.session = GuidedSession(network, profile, prompts, self, rounds=2)
        self.session.run(self._blocks())

    @property
    def text(self) -> str:
        return "\n".join(line for page in self.pages for line in page)

    @property
    def asked(self) -> list[str]:
        """Where it was, each time that another take was asked for."""
        places = [page[0].split()[3] for page in self.pages if "Say something" in "".join(page)]
        return [place for place, _ in groupby(places)]

    def key(self) -> str:
        key, self._pressed = self._pressed, ""
        return key

    def show(self, lines: Sequence[str]) -> None:
        self.pages.append(list(lines))

    def meter(self, share: float, speech: float) -> None:
        """Levels are not checked here."""

    def _blocks(self) -> Iterator[Samples]:
        silence = np.zeros(2 * RATE, np.float32)
        yield silence[:1600]
        for number, key in enumerate(self._keys):
            if "Enter accept" not in "".join(self.pages[-1]) and "Enter" not in self.pages[-1][-2]:
                spoken = self._speech[number % len(self._speech)]
                for start in range(0, len(spoken) + len(silence), 1600):
                    if "Enter accept" in "".join(self.pages[-1]):
                        break
                    yield np.concatenate([spoken, silence])[start : start + 1600]
            self._pressed = key
            yield silence[:1600]


def test_takes_are_written_down_as_they_are_accepted(
    network: EmotionModel, profile: Profile
) -> None:
    scene = Scene(network, profile, "\n\n\n\n\n\n")  # a report after each round of two
    kept = profile.read()
    assert kept is not None
    assert len(kept[1]) == 4
    assert scene.asked == ["1", "2", "3", "4"]
    assert "No sound is kept" in scene.text
    assert "Each left out in turn" in scene.text
    for page in scene.pages:
        assert len(page) <= 24
        assert all(fits(line) for line in page)


def test_what_was_accepted_is_there_whatever_happens_next(
    network: EmotionModel, profile: Profile
) -> None:
    Scene(network, profile, "\nrq")  # one accepted, the next repeated, and given up
    kept = profile.read()
    assert kept is not None
    assert len(kept[1]) == 1


def test_a_take_can_be_skipped_and_gone_back_to(network: EmotionModel, profile: Profile) -> None:
    scene = Scene(network, profile, "sbq")
    assert scene.asked == ["1", "2", "1"]
    assert profile.read() is None


def test_a_take_that_is_accepted_for_a_prompt_again_takes_the_place_of_the_first(
    network: EmotionModel, profile: Profile
) -> None:
    scene = Scene(network, profile, "\nb\nq")
    assert scene.asked == ["1", "2", "1", "2"]
    kept = profile.read()
    assert kept is not None
    (take,) = kept[1]
    assert take.embedding == pytest.approx(scene.session.accepted[0].embedding, abs=1e-3)


def test_the_last_accepted_take_can_be_taken_back(network: EmotionModel, profile: Profile) -> None:
    scene = Scene(network, profile, "\nuuq")
    assert scene.asked == ["1", "2", "1"]
    assert "The last take is taken back." in scene.text
    kept = profile.read()
    assert kept is None or not kept[1]


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal(
    columns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f" a long line, {'of many words ' * 6}", f"     {BOLD}happy{PLAIN}", ""]
    screen = AlternateScreen(lambda: "", lambda: (columns, 24))
    screen.show(lines)
    screen.meter(1.0, 12.5)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    *page, meter = shown.replace("\r", "\n").split("\n")
    assert all(len(line) < columns for line in [*page, meter])
    assert " ".join(" ".join(page).split()) == f"a long line, {'of many words ' * 6}happy"
    if columns >= 40:
        assert meter.endswith("speech 12.5 s")


@pytest.mark.parametrize("rows", [24, 12, 8, 4, 1])
def test_a_page_fits_into_the_terminal_and_into_what_it_becomes(
    rows: int, capsys: pytest.CaptureFixture[str]
) -> None:
    size = [80, 40]
    screen = AlternateScreen(lambda: "", lambda: (size[0], size[1]))
    page = ["title", "", "say it as", "", "happy", *map(str, range(9)), "", "q end", ""]
    screen.show(page)
    size[1] = rows
    assert screen.key() == ""
    shown = capsys.readouterr().err.rsplit("\033[2J")[-1].split("\n")
    assert len(shown) <= rows
    assert shown[-1] == ""  # where the level goes
    if rows > 2:
        assert (shown[0], shown[-2]) == ("title", "q end")
    if rows > 6:
        assert "happy" in shown


def test_a_take_that_contradicts_the_others_is_asked_about(
    network: EmotionModel, profile: Profile
) -> None:
    sound, _ = soundfile.read(DEMO, dtype="float32")
    spoken = [("sad", 8.3 + at) for at in np.arange(0, 4, 0.8)]
    spoken += [("happy", 20.9 + at) for at in np.arange(0, 2.5, 0.5)]
    for emotion, start in spoken:
        part = sound[round(start * RATE) : round((start + 2.5) * RATE)]
        take = take_of(network, [part], emotion)
        assert take is not None
        profile.teach([take])
    sad = sound[round(12.0 * RATE) : round(15.0 * RATE)]
    # Both takes of the first round sound sad; the doubtful one is repeated, and then confirmed.
    scene = Scene(network, profile, "\n\nr\n\nq", speech=sad)
    assert "Your happy take of round 1 sounds sad to it." in scene.text
    assert "Enter keep it and go on   r repeat it" in scene.text
    happy = prompts_of(("happy", "sad"), 2).index("happy") + 1
    assert scene.asked == ["1", "2", str(happy), "3"]
    assert all(fits(line) for line in scene.text.split("\n"))


def test_a_take_that_will_not_do_is_told() -> None:
    rng = np.random.default_rng(0)
    tone = np.sin(np.arange(2 * RATE) / 10).astype(np.float32)
    pause = np.zeros(RATE, np.float32)

    def complaint(speech: float, *parts: NDArray[np.floating[Any]]) -> str:
        return Attempt([part.astype(np.float32) for part in parts], speech).complaint()

    assert complaint(0.2, 0.2 * tone, pause) == "too short"
    assert "clipped" in complaint(2, tone.clip(-0.7, 0.7) / 0.7, pause)
    assert "too soft" in complaint(2, tone * 1e-4, pause)
    assert "too noisy" in complaint(2, rng.normal(0, 0.1, 3 * RATE))
    assert not complaint(2, tone * 0.2, pause)


def test_the_order_mixes_emotions() -> None:
    order = prompts_of(("happy", "sad", "angry"), 4)
    assert sorted(order) == sorted(["happy", "sad", "angry"] * 4)
    assert all(one != other for one, other in pairwise(order))
