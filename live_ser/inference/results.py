"""Results: what is decided about a stretch of sound, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from live_ser.audio.blocks import Voice
from live_ser.extras import needed
from live_ser.inference.prosody import MEASURES, Prosody

if TYPE_CHECKING:
    import pandas as pd

State = Literal["listening", "speech", "silence", "uncertain"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How a stretch of sound is called.

    Attributes:
        state: ``speech`` (classified), ``uncertain`` (classified, but the model cannot tell),
            ``listening`` (too little speech) or ``silence``.
        label: the emotion; the best guess in ``uncertain``, None in ``silence`` and ``listening``.
        confidence: probability of the label, 0 to 1.
        probabilities: probability of every label; None where nothing was classified.
        activation: how aroused the voice sounds, 0 (calm) to 1.
        valence: how pleasant the voice sounds, -1 (unpleasant) over 0 (neither) to 1; None also
            for a model that does not estimate it.
        evidence: seconds of speech.
        prosody: what the voice did: pitch, loudness, rate, pauses; None where nobody speaks.
        channel: that it was heard in, from 1, where each channel is classified separately; None
            elsewhere.
        speaker: who spoke, where that was told; None elsewhere.
    """

    state: State
    label: str | None = None
    confidence: float | None = None
    # A dictionary has no hash; equal results have equal ones without it.
    probabilities: Mapping[str, float] | None = field(default=None, hash=False)
    activation: float | None = None
    valence: float | None = None
    evidence: float
    prosody: Prosody | None = None
    channel: int | None = None
    speaker: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Every attribute by its name: what JSON can hold."""
        values = {field.name: getattr(self, field.name) for field in _fields(type(self))}
        return {name: _plain(value) for name, value in values.items()}

    def to_frame(self) -> pd.DataFrame:
        """A table of one row, as :meth:`Results.to_frame` makes them."""
        return Results([self]).to_frame()

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from live_ser.inference.html import card

        return card(self)


@dataclass(frozen=True, kw_only=True)
class Prediction(Decision):
    """A window, classified; probabilities, activation and valence are smoothed over time.

    Attributes:
        start: seconds from the start of the source to the start of the window.
        end: seconds from the start of the source to the end of the window.
        raw: probability of every label in this window alone.
        speech: share of the window that is speech, 0 to 1.
        since_speech: seconds since speech was last heard; None if it never was.
        level_db: RMS of the newest hop in dB re full scale.
        latency_ms: from the newest block in to the probabilities out.
        baseline: seconds of the speaker's earlier speech that the window was measured against; None
            where there was none.
    """

    start: float
    end: float
    raw: Mapping[str, float] | None = field(default=None, hash=False)
    speech: float
    since_speech: float | None
    level_db: float
    latency_ms: float
    baseline: float | None = None


@dataclass(frozen=True, kw_only=True)
class Segment(Decision):
    """An utterance, measured against what is said around it.

    Attributes:
        start: seconds from the start of the recording to its first speech.
        end: seconds from the start of the recording to the end of its last speech.
    """

    start: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Verdict(Decision):
    """A recording, classified as a whole.

    Attributes:
        duration: seconds.
        speech: share of the recording that is speech, 0 to 1.
        windows: number of stretches that were classified.
        shares: share of the speech whose utterances sound like each emotion, 0 to 1; the rest is
            uncertain, or too short to tell. None where nothing was classified.
        missing: seconds from which to which sound is lost of a file that was classified in part;
            None for an end that nothing tells.
        taught: whether the model was taught with this very recording, so that the verdict tells
            nothing of how good it is.
    """

    duration: float
    speech: float
    windows: int
    shares: Mapping[str, float] | None = field(default=None, hash=False)
    missing: tuple[tuple[float, float | None], ...] = ()
    taught: bool = False


R = TypeVar("R", bound=Decision)


def spoken_by(voice: Voice, result: R) -> R:
    """A result with whose it is."""
    if voice == Voice():
        return result
    return replace(result, channel=voice.channel, speaker=voice.speaker)


class Results(list[R], Generic[R]):
    """Several results of a recording, in their order.

    Args:
        results: what was found.
        kind: class of the results, where there may be none.
        labels: the model's; without them a table has columns only for those that were found.
    """

    def __init__(
        self, results: Iterable[R] = (), kind: type[R] | None = None, labels: Sequence[str] = ()
    ) -> None:
        super().__init__(results)
        self._columns = _columns(kind, labels) if kind else None

    def to_frame(self) -> pd.DataFrame:
        """A row for each result, a column for each attribute, and for each label ``p_LABEL``.

        The guess of an uncertain result is in column ``guess``, and its ``label`` is None.
        Probabilities of a window alone, before smoothing, are in columns ``raw_LABEL``.

        Raises:
            MissingExtra: pandas is not installed.
        """
        rows = [_row(result) for result in self]
        frame: pd.DataFrame = needed("pandas", "tables").DataFrame(rows, columns=self._columns)
        return frame

    def _repr_html_(self) -> str:
        """What a notebook shows: the results along a time axis; a verdict has none."""
        from live_ser.inference.html import card, lanes

        timed = [one for one in self if isinstance(one, Prediction | Segment)]
        return lanes(timed) if len(timed) == len(self) else "".join(map(card, self))


_SPREAD = {"probabilities": "p", "raw": "raw", "shares": "share"}
_FIRST = ("start", "end", "duration")  # columns of a table, as everywhere in live-ser


def _plain(value: Any) -> Any:
    """What JSON gives back as it is."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Prosody):
        return asdict(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _fields(kind: type[Decision]) -> list[Any]:
    """The fields of a result, times first."""
    return sorted(fields(kind), key=lambda field: field.name not in _FIRST)


def _columns(kind: type[Decision], labels: Sequence[str]) -> list[str]:
    """The keys of :func:`_row`, whatever was found."""
    names = [field.name for field in _fields(kind) if field.name != "prosody"]
    names += ["guess", *MEASURES]
    spread = [f"{_SPREAD[name]}_{label}" for name in names if name in _SPREAD for label in labels]
    return [name for name in names if name not in _SPREAD] + spread


def _row(result: Decision) -> dict[str, Any]:
    row: dict[str, Any] = {}
    spread: dict[str, Any] = {}
    values = result.to_dict()
    uncertain = result.state == "uncertain"  # a count of labels is not to count guesses
    label, guess = (None, result.label) if uncertain else (result.label, None)
    prosody = values.pop("prosody") or dict.fromkeys(MEASURES)
    for name, value in {**values, "label": label, "guess": guess, **prosody}.items():
        if name in _SPREAD:
            spread |= {f"{_SPREAD[name]}_{label}": p for label, p in (value or {}).items()}
        else:
            row[name] = value
    return row | spread
