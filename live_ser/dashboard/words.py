"""The text of the headline: the large word and its captions."""

from __future__ import annotations

from live_ser.dashboard.headline import Tone, Words
from live_ser.dashboard.state import DashboardState
from live_ser.live.headline import Headline
from live_ser.palette import colours
from live_ser.text import clock, percent

_FAINT = 5.0  # seconds after which an earlier headline has no colour
_LONG = 60.0  # seconds of silence from which its length is shown
_ROUSED = 1 / 6  # half of the middle range of activation


def words(state: DashboardState) -> Words:
    """The large word and its captions."""
    if state.paused:
        return Words("paused", ("nothing is classified", "space goes on"))
    if not state.connected:
        return Words("no sound", ("the source gives no sound", "waiting for it to come back"))
    if state.enrolling:
        how = "in no particular mood"
        return Words(f"speak as you always do, {state.enrolling}", (now(state), how))
    intended = f"synthesised voice, intended: {state.intended}" if state.intended else ""
    headline = state.headline
    if headline is None:
        return Words(
            state.state or "listening", (now(state), intended, state.learning), tone="quiet"
        )
    is_speech = state.state in ("speech", "uncertain")
    colour = dict(zip(state.labels, colours(state.labels), strict=True)).get(headline.word)
    if headline.is_current:
        captions = (sentence(headline), intended, arousal(state) if is_speech else now(state))
        return Words(headline.word, (*captions, state.learning), colour)
    captions = (f"{brief(headline)}, {headline.age:.0f} s ago", intended, now(state))
    tone: Tone = "dim" if headline.age < _FAINT else "faint"
    return Words(headline.word, (*captions, state.learning), colour, tone)


def sentence(headline: Headline) -> str:
    """The headline in words: ``sounds happy 81 %``, ``sounds like either: 41 % each``."""
    if headline.kind == "uncertain":
        return f"speech; perhaps {headline.labels[0]}, {percent(headline.confidence)}"
    like = "like " if headline.kind == "either" else ""
    return f"sounds {like}{brief(headline)}"


def brief(headline: Headline) -> str:
    """The headline and its probability: ``happy 81 %``, ``either: 41 % each``."""
    if headline.kind == "either":
        return f"either: {percent(headline.confidence)} each"
    return f"{headline.word} {percent(headline.confidence)}"


def now(state: DashboardState) -> str:
    """The current state, if the headline does not show it."""
    match state.state:
        case None:
            return "waiting for the first sound"
        case "listening":
            return f"listening: {state.evidence:.1f} of {state.min_speech:g} s of speech"
        case "silence":
            return _silence(state.since_speech)
        case "uncertain":
            return "uncertain just now"
        case "speech":
            return "speech"


def _silence(since: float | None) -> str:
    if since is None:
        return "silence: no speech so far"
    return f"silence: last speech {clock(since)} ago" if since > _LONG else "silence"


def arousal(state: DashboardState) -> str:
    """The activation in words."""
    if state.activation is None:
        return ""
    if abs(state.activation - 0.5) < _ROUSED:
        return "neither calm nor aroused"
    return "sounds aroused" if state.activation > 0.5 else "sounds calm"
