"""Turns: given intervals of a recording, such as the output of a diariser.

Each interval is classified as a recording of its own, against the speech in the other intervals of
the same speaker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from live_ser.audio.blocks import Samples
from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.decision import decide
from live_ser.inference.lookahead import Lookahead
from live_ser.inference.prosody import NOTHING, Prosody
from live_ser.inference.results import Decision, Segment, Verdict
from live_ser.inference.utterances import Utterance, UtteranceStream
from live_ser.inference.verdict import VerdictSum
from live_ser.model.onnx_model import EmotionModel, ModelOutput
from live_ser.text import counted

Look = Callable[[], None]


def _nowhere() -> None:
    """Nothing to look after."""


@dataclass(frozen=True)
class Turn:
    """An interval in which someone speaks.

    Attributes:
        start: seconds from the start of the recording.
        end: seconds from the start of the recording.
        speaker: name of the speaker; None if unknown.
    """

    start: float
    end: float
    speaker: str | None = None


def classify_turns(
    model: EmotionModel, blocks: Iterable[Samples], turns: Sequence[Turn], look: Look = _nowhere
) -> Iterator[Segment | Verdict]:
    """Classify intervals of a recording in one pass.

    Args:
        model: the model.
        blocks: float32 ``[n]`` each, mono at the model's rate.
        turns: the intervals, in any order; they may overlap.
        look: function that is called regularly, several times a block where many turns overlap; an
            exception in it ends the work.

    Yields:
        A segment for each turn, in the order of ``turns``, and then a verdict on each speaker, in
        the order of their first turn.
    """
    rate = model.info.features.sample_rate
    speakers = {turn.speaker: _Speaker(model, look) for turn in turns}
    waiting = deque(sorted(range(len(turns)), key=lambda number: turns[number].start))
    for number in waiting:
        speakers[turns[number].speaker].expect(number)
    open_turns: dict[int, _TurnStream] = {}
    position = 0
    for block in blocks:
        stop = position + len(block)
        while waiting and round(turns[waiting[0]].start * rate) < stop:
            open_turns[waiting.popleft()] = _TurnStream(model)
        for number, stream in list(open_turns.items()):
            look()
            turn = turns[number]
            last = round(turn.end * rate)
            stream.push(block[max(0, round(turn.start * rate) - position) : last - position])
            if last <= stop:
                speakers[turn.speaker].push(number, open_turns.pop(number).finish(turn.start))
        position = stop
    for number, stream in open_turns.items():  # they end after the sound
        look()
        speakers[turns[number].speaker].push(number, stream.finish(turns[number].start))
    for number in waiting:
        speakers[turns[number].speaker].push(number, [])
    for speaker in speakers.values():
        speaker.finish()
    for number, turn in enumerate(turns):
        decision = speakers[turn.speaker].decision(number)
        values = {**vars(decision), "speaker": turn.speaker}
        yield Segment(**values, start=turn.start, end=turn.end)
    for name, speaker in speakers.items():
        yield replace(speaker.verdict(position / rate), speaker=name)


def classify_turns_and_check(
    model: EmotionModel, blocks: Iterable[Samples], turns: Sequence[Turn], look: Look = _nowhere
) -> tuple[list[Segment | Verdict], list[str]]:
    """The results of :func:`classify_turns`, and warnings about the intervals."""
    if not turns:
        return [], []
    found = [*classify_turns(model, blocks, turns, look)]
    segments = [one for one in found if isinstance(one, Segment)]
    (seconds, *_) = (one.duration for one in found if isinstance(one, Verdict))
    return found, notes_on(turns, segments, seconds)


class _TurnStream:
    """The utterances of one turn, as if it were a recording of its own."""

    def __init__(self, model: EmotionModel) -> None:
        self._front_end = FrontEnd(model.info, model.info.window)
        self._stream = UtteranceStream(model.info)
        self._utterances: list[Utterance] = []

    def push(self, block: Samples) -> None:
        self._push(self._front_end.push(block))

    def finish(self, start: float) -> list[Utterance]:
        """The utterances, with times from the start of the recording."""
        self._push(self._front_end.finish())
        utterances = [*self._utterances, *self._stream.finish()]
        return [replace(one, start=start + one.start, end=start + one.end) for one in utterances]

    def _push(self, steps: Iterable[Features]) -> None:
        for features in steps:
            self._utterances += self._stream.push(features.frames, features.mask, features.voice)


class _Sum:
    """Sums over the utterances of a turn, or of a speaker."""

    def __init__(self, model: EmotionModel) -> None:
        self.verdict_sum = VerdictSum(model.info)
        self.evidence = 0.0
        self.usual: Prosody | None = None
        self._sums = NOTHING
        self._until: float | None = None  # end of the last utterance in seconds

    def add(self, utterance: Utterance) -> None:
        """Count the speech of an utterance, and the pause before it."""
        self.evidence += utterance.evidence
        since = utterance.start if self._until is None else self._until
        self._sums += utterance.prosody_sums.after(max(0.0, utterance.start - since))
        self._until = utterance.end

    @property
    def prosody(self) -> Prosody | None:
        return self._sums.prosody(self.usual)


class _Speaker:
    """Classify the turns of one speaker, in the order of their starts."""

    def __init__(self, model: EmotionModel, look: Look) -> None:
        self._model, self._look = model, look
        self._lookahead = Lookahead(model)
        self._order: deque[int] = deque()
        self._utterances: dict[int, list[Utterance]] = {}
        self._turns: dict[int, _Sum] = {}
        self._total = _Sum(model)
        self._seconds = dict.fromkeys(model.info.labels, 0.0)

    def expect(self, turn: int) -> None:
        """Announce a turn; turns are announced in the order of their starts."""
        self._order.append(turn)

    def push(self, turn: int, utterances: list[Utterance]) -> None:
        """Add a turn that has ended."""
        self._utterances[turn] = [replace(one, turn=turn) for one in utterances if one.evidence]
        while self._order and self._order[0] in self._utterances:
            first = self._order.popleft()
            self._turns[first] = _Sum(self._model)
            for utterance in self._utterances.pop(first):
                self._push(utterance, self._turns[first])

    def _push(self, utterance: Utterance, turn: _Sum) -> None:
        wanted = turn.verdict_sum.wants(utterance.evidence) or self._total.verdict_sum.wants(
            utterance.evidence
        )
        turn.add(utterance)
        self._total.add(utterance)
        wanted = wanted and len(utterance.frames) > 0
        for due, output in self._lookahead.push(utterance, wanted=wanted):
            self._add(due, output)

    def finish(self) -> None:
        """Classify the utterances that still wait."""
        for due, output in self._lookahead.finish():
            self._add(due, output)

    def _add(self, utterance: Utterance, output: ModelOutput | None) -> None:
        self._look()
        info, evidence = self._model.info, utterance.evidence
        turn = self._turns[utterance.turn]
        turn.usual = utterance.usual
        if output is None:
            return
        for one in (turn, self._total):
            if one.verdict_sum.wants(evidence):
                one.verdict_sum.add(output, evidence)
        if evidence >= info.gate.min_speech:
            shares, activation = output.probabilities, output.activation
            decision = decide(info, shares, activation, evidence=evidence)
            if decision.state == "speech" and decision.label is not None:
                self._seconds[decision.label] += evidence

    def decision(self, turn: int) -> Decision:
        """The decision on a turn."""
        one = self._turns[turn]
        return replace(one.verdict_sum.decision(one.evidence), prosody=one.prosody)

    def verdict(self, duration: float) -> Verdict:
        """The verdict on all turns.

        Args:
            duration: length of the recording in seconds.
        """
        evidence = self._total.evidence
        verdict = self._total.verdict_sum.verdict(duration, evidence)
        verdict = replace(verdict, prosody=self._total.prosody)
        if verdict.probabilities is None:
            return verdict
        shares = {label: min(1.0, s / evidence) for label, s in self._seconds.items()}
        return replace(verdict, shares=shares)


def notes_on(turns: Sequence[Turn], segments: Sequence[Segment], seconds: float) -> list[str]:
    """Warnings about intervals, a line for each kind.

    Args:
        turns: the intervals.
        segments: the result for each.
        seconds: length of the recording.
    """
    outside = [turn for turn in turns if turn.start >= seconds]
    silent = [
        turn
        for turn, segment in zip(turns, segments, strict=True)
        if segment.state == "silence" and turn not in outside
    ]
    own, others = _overlapping(turns)
    kinds = {
        f"outside the sound, which is {seconds:.1f} s long": outside,
        "without speech": silent,
        "on top of another one of the same speaker": own,
        "on top of another speaker's: both are heard": others,
    }
    notes = [_in_words(kind, found) for kind, found in kinds.items() if found]
    return notes_on_ends(turns, seconds) + notes


def notes_on_ends(turns: Sequence[Turn], seconds: float) -> list[str]:
    """Warnings about intervals that end after the recording.

    Args:
        turns: the intervals.
        seconds: length of the recording.
    """
    longer = [turn for turn in turns if turn.start < seconds and turn.end > seconds + _ROUNDING]
    kind = f"longer than the sound, which ends at {seconds:.1f} s"
    return [_in_words(kind, longer)] if longer else []


_ROUNDING = 0.1  # seconds by which an interval may end after the sound without a warning
_NAMED = 3  # intervals in one line


def _in_words(kind: str, turns: Sequence[Turn]) -> str:
    named = [f"{turn.start:.2f} to {turn.end:.2f} s" for turn in turns[:_NAMED]]
    more = " and more" if len(turns) > _NAMED else ""
    count = counted(len(turns), "interval")
    return f"{count} {kind}: {', '.join(named)}{more}"


def _overlapping(turns: Sequence[Turn]) -> tuple[list[Turn], list[Turn]]:
    """The turns that overlap one of the same speaker, and those that overlap another speaker's."""
    own: list[Turn] = []
    others: list[Turn] = []
    ends: dict[str | None, float] = {}
    for turn in sorted(turns, key=lambda one: one.start):
        if ends.get(turn.speaker, 0.0) > turn.start + _SAME:
            own.append(turn)
        elif any(end > turn.start + _SAME for end in ends.values()):
            others.append(turn)
        ends[turn.speaker] = max(ends.get(turn.speaker, 0.0), turn.end)
    return own, others


_SAME = 1e-3  # seconds by which times in a file may be rounded
