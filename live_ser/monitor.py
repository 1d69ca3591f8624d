"""The monitor: sound in, one prediction each hop out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from live_ser.baseline import RunningBaseline
from live_ser.blocks import Block, Gap
from live_ser.errors import LiveSerError
from live_ser.features import Frames
from live_ser.model import EmotionModel, Judgement
from live_ser.results import Result
from live_ser.smoothing import Smoother
from live_ser.windows import PAUSE_SECONDS, Window, WindowStream

State = Literal["listening", "speech", "silence", "uncertain"]

SMOOTHING = 1.0  # seconds
_BREATH = 0.3  # seconds without speech after which an utterance may be over


@dataclass(frozen=True)
class Prediction(Result):
    """One window, judged.

    Attributes:
        start: seconds from the start of the source to the start of the window.
        end: seconds from the start of the source to the end of the window.
        state: ``speech`` (judged), ``uncertain`` (judged, but the model cannot tell),
            ``listening`` (not enough speech yet) or ``silence``.
        label: the emotion; the best guess in ``uncertain``, None in ``silence`` and ``listening``.
        confidence: probability of the label, 0 to 1.
        probabilities: of every label, smoothed over time; None where nothing was judged.
        raw: the same of this window alone.
        activation: how aroused the voice sounds, 0 (calm) to 1, smoothed.
        speech: share of the window that is speech, 0 to 1.
        evidence: seconds of speech in the window.
        since_speech: seconds since speech was last heard; None if it never was.
        level_db: RMS of the newest hop in dB re full scale.
        latency_ms: from the newest block in to the probabilities out.
        baseline: seconds of the speaker's earlier speech that the window was measured against; None
            where it was judged by itself, or not at all.
    """

    start: float
    end: float
    state: State
    label: str | None
    confidence: float | None
    probabilities: Mapping[str, float] | None = field(hash=False)
    raw: Mapping[str, float] | None = field(hash=False)
    activation: float | None
    speech: float
    evidence: float
    since_speech: float | None
    level_db: float
    latency_ms: float
    baseline: float | None = None


class Monitor:
    """Judges sound while it comes: iterate over it for one prediction each hop.

    Args:
        model: that judges.
        blocks: float32 ``[n]`` each, mono at the model's rate; a :class:`Gap` between them for what
            was not heard. A :class:`Source` tells its backlog.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant in seconds; 0 is off, None for the usual one.
        baseline: what is known of the speaker; nothing if None. It learns from what is heard.

    Attributes:
        baseline: of the speaker, None for a model that takes none.
        windows: how many were given out.
        skipped: how many were not, because newer sound was waiting already.

    Raises:
        LiveSerError: the hop or the smoothing cannot be.
    """

    def __init__(
        self,
        model: EmotionModel,
        blocks: Iterable[Block],
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        baseline: RunningBaseline | None = None,
    ) -> None:
        info = model.info
        self.hop = info.hop if hop is None else hop
        if not 0.05 <= self.hop <= info.window:
            raise LiveSerError(
                f"a hop of {self.hop:g} s is not between 0.05 s and the window ({info.window:g} s)",
                f"leave --hop out for the model's own of {info.hop:g} s",
                exit_code=2,
            )
        smoothing = SMOOTHING if smoothing is None else smoothing
        if not 0 <= smoothing <= 60:
            raise LiveSerError(
                f"smoothing of {smoothing:g} s is not between 0 and 60 s",
                f"leave --smoothing out for {SMOOTHING:g} s",
                exit_code=2,
            )
        if baseline is None and info.baseline:
            baseline = RunningBaseline(info)
        self.baseline = baseline if info.baseline else None
        self.windows = 0
        self.skipped = 0
        self._model = model
        self._blocks = blocks
        self._stream = WindowStream(info, self.hop)
        self._smoother = Smoother(smoothing)

    @property
    def seconds(self) -> float:
        """From the start of the source to the newest sound."""
        return self._stream.seconds

    def __iter__(self) -> Iterator[Prediction]:
        for block in self._blocks:
            if isinstance(block, Gap):
                self._stream.gap(block.seconds)
                self._smoother.forget()
                continue
            arrived = time.perf_counter()
            for window in self._stream.push(block):
                if self._behind():
                    self.skipped += 1
                else:
                    yield self.judge(window, arrived)
                arrived = time.perf_counter()
        arrived = time.perf_counter()
        for window in self._stream.finish():
            yield self.judge(window, arrived)

    def _behind(self) -> bool:
        """Whether a newer window than this one could be made of what waits already."""
        backlog: float = getattr(self._blocks, "backlog", 0.0)  # a list of blocks has none
        return backlog >= self.hop

    def judge(self, window: Window, arrived: float) -> Prediction:
        """One window, judged; windows come in their order.

        Args:
            window: of sound.
            arrived: when it was heard, by ``time.perf_counter``.
        """
        info = self._model.info
        frames = window.frames
        if info.gate.trim:
            frames = window.spoken(info.features.hop_length / info.features.sample_rate)
        state: State = "speech"
        since = window.since_speech
        if since is None or since > PAUSE_SECONDS or not window.evidence:
            state = "silence"
            self._smoother.forget()
        elif window.evidence < info.gate.enough(over=since > _BREATH) or not len(frames):
            state = "listening"
        raw, against = None, None
        smooth, label, confidence = None, None, None
        if state == "speech":
            raw, against = self._measure(frames, window)
            smooth = self._smoother.push(raw, window.end, window.evidence)
            best = self._smoother.label(smooth.probabilities, info.abstain)
            label, confidence = info.labels[best], float(smooth.probabilities[best])
            state = "uncertain" if confidence < info.abstain else "speech"
        self.windows += 1
        return Prediction(
            start=window.start,
            end=window.end,
            state=state,
            label=label,
            confidence=confidence,
            probabilities=self._named(smooth),
            raw=self._named(raw),
            activation=smooth.activation if smooth else None,
            speech=window.speech,
            evidence=window.evidence,
            baseline=against,
            since_speech=window.since_speech,
            level_db=window.level_db,
            latency_ms=1000 * (time.perf_counter() - arrived),
        )

    def _measure(self, frames: Frames, window: Window) -> tuple[Judgement, float | None]:
        """What the network says, and the seconds of the baseline that it says it against."""
        if self.baseline is None:
            return self._model.judge(frames), None
        spec = self._model.info.features
        end = window.end - (window.since_speech or 0.0)
        start = end - len(frames) * spec.hop_length / spec.sample_rate
        judgement = self._model.judge(frames, self.baseline.before(start))
        self.baseline.hear(judgement, start, end)
        return judgement, self.baseline.seconds or None

    def _named(self, judgement: Judgement | None) -> dict[str, float] | None:
        if judgement is None:
            return None
        return dict(zip(self._model.info.labels, map(float, judgement.probabilities), strict=True))
