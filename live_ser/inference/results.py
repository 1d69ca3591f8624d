"""Results for windows, utterances and recordings, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from live_ser.audio.blocks import Voice
from live_ser.extras import needed
from live_ser.inference.html import card, lanes
from live_ser.inference.prosody import MEASURES, Prosody

if TYPE_CHECKING:
    import pandas as pd

State = Literal["listening", "speech", "silence", "uncertain"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """State, label and measures of a stretch of sound; the base of all results.

    Attributes:
        state: ``speech``, ``uncertain`` (speech, but the confidence is below the model's
            threshold), ``listening`` (too little speech to classify) or ``silence``.
        label: the emotion; the best guess in ``uncertain``, None in ``silence`` and ``listening``.
        confidence: probability of the label, 0 to 1.
        probabilities: probability of each label; None in ``silence`` and ``listening``.
        activation: how aroused the voice sounds, 0 (calm) to 1.
        valence: how pleasant the voice sounds, -1 (unpleasant) over 0 (neither) to 1; None also
            for a model that does not estimate it.
        evidence: seconds of speech.
        prosody: pitch, loudness, rate and pauses; None without speech.
        channel: number of the channel, from 1, where each is classified separately; None elsewhere.
        speaker: name of the speaker, where it is known; None elsewhere.
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
        """All attributes by name, as JSON types."""
        values = {field.name: getattr(self, field.name) for field in _fields(type(self))}
        return {name: _plain(value) for name, value in values.items()}

    def to_frame(self) -> pd.DataFrame:
        """A table of one row, see :meth:`Results.to_frame`."""
        return Results([self]).to_frame()

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return card(self.to_dict())


@dataclass(frozen=True, kw_only=True)
class Prediction(Decision):
    """The prediction for a window; probabilities, activation and valence are smoothed over time.

    Attributes:
        start: seconds from the start of the source to the start of the window.
        end: seconds from the start of the source to the end of the window.
        raw: probability of each label for this window alone, before smoothing.
        speech: share of the window that is speech, 0 to 1.
        since_speech: seconds since the last speech; None if there was none.
        level_db: RMS of the newest hop in dB re full scale.
        latency_ms: from the arrival of the newest block to the result.
        baseline: seconds of the speaker's earlier speech that the window was compared with; None
            without any.
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
    """An utterance, classified against the speech around it.

    Attributes:
        start: seconds from the start of the recording to its first speech.
        end: seconds from the start of the recording to the end of its last speech.
    """

    start: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Verdict(Decision):
    """The result for a recording as a whole.

    Attributes:
        duration: seconds.
        speech: share of the recording that is speech, 0 to 1.
        windows: number of stretches of speech that were classified.
        shares: share of the speech in utterances of each emotion, 0 to 1; the rest is uncertain or
            too short. None in ``silence`` and ``listening``.
        missing: start and end, in seconds, of sound that is missing from the file; None for an
            unknown end.
        taught: whether the model was taught with this very recording, so that the verdict is no
            evidence of its accuracy.
    """

    duration: float
    speech: float
    windows: int
    shares: Mapping[str, float] | None = field(default=None, hash=False)
    missing: tuple[tuple[float, float | None], ...] = ()
    taught: bool = False


R = TypeVar("R", bound=Decision)


def spoken_by(voice: Voice, result: R) -> R:
    """The result with the channel and speaker of a voice."""
    if voice == Voice():
        return result
    return replace(result, channel=voice.channel, speaker=voice.speaker)


class Results(list[R], Generic[R]):
    """The results of a recording, in order.

    Args:
        results: the results.
        kind: class of the results, for the columns of a table without rows.
        labels: the model's labels, for the columns of a table without rows.
    """

    def __init__(
        self, results: Iterable[R] = (), kind: type[R] | None = None, labels: Sequence[str] = ()
    ) -> None:
        super().__init__(results)
        self._columns = _columns(kind, labels) if kind else None

    def to_frame(self) -> pd.DataFrame:
        """A table with a row for each result.

        Columns are the attributes, and ``p_LABEL`` for the probability of each label. The label of
        an uncertain result is in column ``guess``, and its ``label`` is None. Probabilities of a
        window alone, before smoothing, are in columns ``raw_LABEL``.

        Raises:
            MissingExtra: pandas is not installed.
        """
        rows = [_row(result) for result in self]
        frame: pd.DataFrame = needed("pandas", "tables").DataFrame(rows, columns=self._columns)
        return frame

    def _repr_html_(self) -> str:
        """What a notebook shows: a timeline, or cards of verdicts."""
        results = [one.to_dict() for one in self]
        is_timed = all(isinstance(one, Prediction | Segment) for one in self)
        return lanes(results) if is_timed else "".join(map(card, results))


_SPREAD = {"probabilities": "p", "raw": "raw", "shares": "share"}
_FIRST = ("start", "end", "duration")  # columns of a table


def _plain(value: Any) -> Any:
    """A value as JSON types."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Prosody):
        return asdict(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _fields(kind: type[Decision]) -> list[Any]:
    """The fields of a result, times first."""
    return sorted(fields(kind), key=lambda field: field.name not in _FIRST)


def _columns(kind: type[Decision], labels: Sequence[str]) -> list[str]:
    """The keys of :func:`_row`."""
    names = [field.name for field in _fields(kind) if field.name != "prosody"]
    names += ["guess", *MEASURES]
    spread = [f"{_SPREAD[name]}_{label}" for name in names if name in _SPREAD for label in labels]
    return [name for name in names if name not in _SPREAD] + spread


def _row(result: Decision) -> dict[str, Any]:
    row: dict[str, Any] = {}
    spread: dict[str, Any] = {}
    values = result.to_dict()
    uncertain = result.state == "uncertain"  # so that counting labels does not count guesses
    label, guess = (None, result.label) if uncertain else (result.label, None)
    prosody = values.pop("prosody") or dict.fromkeys(MEASURES)
    for name, value in {**values, "label": label, "guess": guess, **prosody}.items():
        if name in _SPREAD:
            spread |= {f"{_SPREAD[name]}_{label}": p for label, p in (value or {}).items()}
        else:
            row[name] = value
    return row | spread
