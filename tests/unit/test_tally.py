"""What is said at the end of a session, and line by line where there is no screen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from live_ser.inference.results import Prediction, State
from live_ser.live.lines import LineSink
from live_ser.live.tally import Tally

HOP = 0.5


def windows(*heard: tuple[int, State, str | None]) -> list[Prediction]:
    """So many windows in each state; in silence, speech is ever longer ago."""
    found: list[Prediction] = []
    since: float | None = None
    for count, state, label in heard:
        for _ in range(count):
            since = (since + HOP if since is not None else None) if state == "silence" else 0.0
            end = HOP * (len(found) + 1)
            shares = {"happy": 0.4, "sad": 0.6} if label == "sad" else {"happy": 0.9, "sad": 0.1}
            if state == "uncertain":
                shares = {"happy": 0.3, "sad": 0.2, "angry": 0.2, "neutral": 0.3}
            found.append(
                Prediction(
                    start=0.0,
                    end=end,
                    state=state,
                    label=label,
                    confidence=shares[label] if label else None,
                    probabilities=shares if label else None,
                    activation=0.75 if label else None,
                    speech=0.5,
                    evidence=1.0,
                    since_speech=since,
                    level_db=-20.0,
                    latency_ms=3.0,
                )
            )
    return found


def test_shares_are_those_of_the_speech_not_of_the_time() -> None:
    tally = Tally()
    heard = windows(
        (20, "silence", None), (12, "speech", "happy"), (4, "speech", "sad"),
        (4, "uncertain", "happy"), (200, "silence", None),
    )  # fmt: skip
    for window in heard:
        tally.window(window)
    tally.mark(3.0)
    tally.mark(4.0)
    assert tally.voices[""].seconds == pytest.approx(10.0)
    assert tally.lines(120.0) == [
        "0:02:00 heard, 10.0 s of it speech",
        "of the speech: happy 60 %, sad 20 %, uncertain 20 %; activation 0.75 on average",
        "2 marks",
    ]


def test_no_more_speech_is_told_than_was_heard() -> None:
    tally = Tally()
    (window,) = windows((1, "speech", "happy"))
    tally.window(replace(window, end=0.3))  # where a session ended within its first hop
    assert tally.lines(0.3)[0] == "0.3 s heard, 0.3 s of it speech"


@pytest.mark.parametrize("counts", [(1, 1, 1), (5, 5, 6), (199, 199, 2), (1, 1, 998)])
def test_shares_add_up_to_a_hundred(counts: tuple[int, int, int]) -> None:
    tally = Tally()
    happy, sad, uncertain = counts
    heard = windows(
        (happy, "speech", "happy"), (sad, "speech", "sad"), (uncertain, "uncertain", "happy")
    )  # fmt: skip
    for window in heard:
        tally.window(window)
    _, line = tally.lines(1000.0)
    found = re.findall(r"(\w+) (\d+) %", line)
    assert sum(int(share) for _, share in found) == 100
    exact = dict(zip(("happy", "sad", "uncertain"), counts, strict=True))
    for name, share in found:
        assert abs(int(share) - 100 * exact[name] / sum(counts)) < 1


def test_a_session_without_speech_says_so() -> None:
    tally = Tally()
    for window in windows((20, "silence", None)):
        tally.window(window)
    assert tally.lines(10.0) == ["10.0 s heard, 0.0 s of it speech"]


def test_a_plain_line_is_written_only_when_the_verdict_changes() -> None:
    lines: list[str] = []
    sink = LineSink(lines.append)
    heard = windows(
        (4, "silence", None), (2, "listening", None), (12, "speech", "happy"),
        (6, "silence", None), (12, "speech", "happy"), (8, "speech", "sad"),
        (30, "silence", None),
    )  # fmt: skip
    for window in heard:
        sink.window(window)
    sink.mark(37.0)
    assert lines == [
        "0:00:00  silence",
        "0:00:03  happy 90 %",
        "0:00:19  sad 60 %",
        "0:00:32  silence",
        "0:00:37  mark",
    ]


def test_marks_that_nothing_keeps_are_not_counted() -> None:
    tally = Tally(marks_stored=False)
    tally.mark(1.0)
    assert not [line for line in tally.lines(2.0) if "mark" in line]
