"""Classify windows one after another, against the speaker's baseline, smoothed over time."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.pitch import timing
from live_ser.inference.decision import decide, is_silence
from live_ser.inference.prosody import Prosody, UsualProsody
from live_ser.inference.results import Decision, Prediction
from live_ser.inference.settings import Settings
from live_ser.inference.smoothing import Smoother
from live_ser.inference.windows import Window
from live_ser.model.onnx_model import EmotionModel, ModelOutput
from live_ser.model.speaker import RunningBaseline

# After a longer pause the utterance may be over, so that less speech is enough for a prediction.
_MAYBE_OVER_SECONDS = 0.3

_Inputs = tuple[EmotionModel, Frames, NDArray[np.float32] | None]  # frames, and the baseline


class WindowClassifier:
    """Classifies the windows of a source, in their order.

    Args:
        model: the model.
        settings: how the windows are smoothed.
        baseline: the speaker's baseline, which each window updates; None for a new one.

    Attributes:
        baseline: the speaker's baseline; None for a model without one.
    """

    def __init__(
        self, model: EmotionModel, settings: Settings, baseline: RunningBaseline | None = None
    ) -> None:
        info = model.info
        if baseline is None:
            baseline = RunningBaseline.of(model)
        self.baseline = baseline if info.baseline else None
        self._model = model
        self._smoother = Smoother(settings.smoothing)
        self._voice_hop, _ = timing(info.features.sample_rate)
        self._usual = UsualProsody()
        self._newest: Prediction | None = None  # the newest with a label
        self._next: tuple[EmotionModel, float] | None = None
        self._resumed = 0.0  # seconds to the speech after the newest pause
        self._inputs: _Inputs | None = None  # of the last run of the model
        self._output: ModelOutput

    def switch_model(self, model: EmotionModel, since: float) -> None:
        """Use another model for the speech after a time.

        Args:
            model: the same network with other teaching.
            since: seconds from the start of the source.
        """
        self._next = model, since

    def guess(self, start: float, end: float) -> str | None:
        """The label of the newest window in a stretch of speech; None without such a window."""
        newest = self._newest
        if newest is None or not start < newest.end - (newest.since_speech or 0.0) + CHUNK_SECONDS:
            return None
        return newest.label if newest.start < end else None

    def forget(self, *, speaker: bool = False) -> None:
        """Reset the smoothing: another utterance begins.

        Args:
            speaker: reset the baseline and the usual prosody, too: another speaker begins.
        """
        self._smoother.forget()
        if not speaker:
            return
        self._usual = UsualProsody()
        if self.baseline is not None:
            self.baseline = RunningBaseline(self._model.info)

    def classify(self, window: Window, arrived: float) -> Prediction:
        """Classify the next window.

        Args:
            window: the window.
            arrived: when its newest block arrived, by ``time.perf_counter``.
        """
        info = self._model.info
        frames = window.frames
        if info.gate.trim:
            frames = window.spoken(info.features.hop_length / info.features.sample_rate)
        raw, against = None, None
        since = window.since_speech
        if is_silence(window.evidence, since):
            self.forget()
            decision = Decision(state="silence", evidence=window.evidence)
        elif window.evidence < self._enough(since) or not len(frames):
            decision = Decision(state="listening", evidence=window.evidence)
        else:
            output, against = self._classify(frames, window)
            raw = dict(zip(info.labels, map(float, output.probabilities), strict=True))
            decision = self._smoothed(output, window)
        if decision.state != "silence":
            decision = replace(decision, prosody=self._prosody(window))
        prediction = Prediction(
            **vars(decision),
            start=window.start,
            end=window.end,
            raw=raw,
            speech=window.speech,
            since_speech=since,
            level_db=window.level_db,
            latency_ms=1000 * (time.perf_counter() - arrived),
            baseline=against,
        )
        if prediction.label:
            self._newest = prediction
        return prediction

    def _enough(self, since_speech: float | None) -> float:
        """The least seconds of speech that are classified."""
        over = since_speech is not None and since_speech > _MAYBE_OVER_SECONDS
        return self._model.info.gate.enough(over=over)

    def _prosody(self, window: Window) -> Prosody | None:
        """The prosody of the window, compared with the speaker's usual."""
        sums = window.prosody_sums(self._voice_hop)
        end = window.end - (window.since_speech or 0.0)
        prosody = sums.prosody(self._usual.before(end - sums.span))
        self._usual.update(end, sums)
        return prosody

    def _smoothed(self, output: ModelOutput, window: Window) -> Decision:
        if window.resumed is not None and window.resumed > self._resumed + CHUNK_SECONDS:
            self._smoother.forget()  # speech before the pause is not in the window
            self._resumed = window.resumed
        mean = self._smoother.push(output, window.end, window.evidence)
        return decide(
            self._model.info,
            mean.probabilities,
            mean.activation,
            evidence=window.evidence,
            valence=mean.valence,
            best=self._smoother.label(mean.probabilities, self._model.info.abstain),
        )

    def _classify(self, frames: Frames, window: Window) -> tuple[ModelOutput, float | None]:
        """The model's output, and the seconds of speech in the baseline that it used."""
        if self.baseline is None:
            return self._predict(frames, None), None
        spec = self._model.info.features
        end = window.end - (window.since_speech or 0.0)
        start = end - len(frames) * spec.hop_length / spec.sample_rate
        if self._next and start > self._next[1] - CHUNK_SECONDS:
            self._model, self._next = self._next[0], None
        output = self._predict(frames, self.baseline.before(start))
        self.baseline.update(output, start, end)
        return output, self.baseline.seconds or None

    def _predict(self, frames: Frames, baseline: NDArray[np.float32] | None) -> ModelOutput:
        """The model's output, reused in a pause, where its inputs do not change."""
        inputs = self._model, frames, baseline
        if not _is_same(inputs, self._inputs):
            self._output = self._model.predict(frames, baseline)
            self._inputs = inputs
        return self._output


def _is_same(inputs: _Inputs, before: _Inputs | None) -> bool:
    """Whether the inputs of the model are those of its last run."""
    if before is None or inputs[0] is not before[0]:
        return False
    pairs = zip(inputs[1:], before[1:], strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)  # type: ignore[arg-type]
