"""What the headline promises: it is calm, and it remembers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from live_ser.inference.results import Prediction, State
from live_ser.live.headline import Headline, HeadlineTracker, level_pair

HOP = 0.5


def prediction(end: float, label: str | None, *, share: float = 0.8) -> Prediction:
    """A window; a label with a question mark is uncertain, none is silence."""
    state: State = "silence" if label is None else ("uncertain" if "?" in label else "speech")
    name = label.strip("?") if label else None
    rest = (1 - share) / 3
    shares = dict.fromkeys(("neutral", "happy", "sad", "angry"), rest)
    return Prediction(
        start=end - 3.5,
        end=end,
        state=state,
        label=name,
        confidence=share if name else None,
        probabilities={**shares, name: share} if name else None,
        speech=0.5,
        evidence=1.0,
        since_speech=0.0,
        level_db=-20.0,
        latency_ms=3.0,
    )


def headlines(labels: Iterable[str | None]) -> list[Headline | None]:
    """The headline after each window."""
    tracker = HeadlineTracker()
    return [
        tracker.push(prediction(HOP * (i + 1), label, share=0.3 if label and "?" in label else 0.8))
        for i, label in enumerate(labels)
    ]


def words(labels: Iterable[str | None]) -> list[str]:
    return [shown.word if shown else "" for shown in headlines(labels)]


def test_the_first_verdict_is_shown_at_once() -> None:
    assert words([None, "happy"]) == ["", "happy"]


def test_a_verdict_is_kept_with_its_age_and_is_gone_after_ten_seconds() -> None:
    shown = headlines(["happy", *[None] * 21])
    ages = [one.age if one else None for one in shown]
    assert ages[:20] == pytest.approx([HOP * i for i in range(20)])
    assert [one.is_current for one in shown[:4] if one] == [True, True, True, False]
    assert shown[20] is not None
    assert shown[20].word == "happy"
    assert shown[21] is None


def test_single_windows_change_nothing() -> None:
    flutter = ["happy", "happy", "sad", "happy", "sad?", "happy", "angry", "sad?", "happy"]
    assert set(words(flutter)) == {"happy"}


def test_another_verdict_has_to_last_and_the_one_before_to_have_stood() -> None:
    shown = words(["happy", "sad", "happy", "sad", "sad", "sad"])
    assert shown == ["happy"] * 5 + ["sad"]
    assert words(["happy"] * 6 + ["sad", "sad"])[-2:] == ["happy", "sad"]


def test_after_two_seconds_without_a_verdict_the_next_one_need_not_wait() -> None:
    assert words(["happy", *[None] * 4, "sad"])[-1] == "sad"


def test_doubt_takes_the_headline_only_when_it_lasts_and_leaves_it_at_once() -> None:
    shown = words(["happy", *["sad?"] * 7, "angry"])
    assert shown == ["happy"] * 6 + ["uncertain"] * 2 + ["angry"]


def test_running_speech_changes_the_headline_at_most_fifteen_times_a_minute() -> None:
    # Each half second another emotion: as bad as it can be.
    shown = words([("happy", "sad", "angry", "sad?")[i % 4] for i in range(120)])
    changes = sum(a != b for a, b in itertools.pairwise(shown))
    assert changes <= 15


def test_whatever_the_hop_it_waits_as_long() -> None:
    tracker = HeadlineTracker()
    shown = [tracker.push(prediction(0.1 * i, "happy" if i <= 30 else "sad")) for i in range(1, 50)]
    changed = next(i for i, one in enumerate(shown, 1) if one and one.word == "sad")
    assert 0.1 * (changed - 31) == pytest.approx(0.5)


def test_two_that_are_nearly_level_are_both_named_and_do_not_flicker() -> None:
    assert level_pair({"angry": 0.4, "fearful": 0.38, "sad": 0.22}) == ("angry", "fearful")
    assert level_pair({"angry": 0.42, "fearful": 0.2, "sad": 0.38}) == ("angry", "sad")
    assert level_pair({"angry": 0.55, "fearful": 0.3, "sad": 0.15}) is None  # one is ahead
    assert level_pair({"a": 0.22, "b": 0.2, "c": 0.2, "d": 0.19, "e": 0.19}) is None
    assert level_pair({"only": 1.0}) is None
    tracker = HeadlineTracker()
    shown = []
    for i in range(1, 7):
        first, second = ("angry", "sad") if i % 2 else ("sad", "angry")
        uncertain = prediction(HOP * i, f"{first}?", share=0.4)
        shares = {first: 0.4, second: 0.38, "happy": 0.12, "neutral": 0.1}
        shown.append(tracker.push(Prediction(**{**vars(uncertain), "probabilities": shares})))
    assert {one.word for one in shown if one} == {"angry or sad"}
    assert shown[0] is not None
    assert shown[0].kind == "either"
