"""A stream: sound pushed in as it comes, predictions and the verdict on a turn out."""

from __future__ import annotations

import time
from collections.abc import Iterable

from numpy.typing import ArrayLike

from live_ser.audio.arrays import checked_block, checked_rate
from live_ser.audio.resampler import Resampler
from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.labelling import Label, Labelling
from live_ser.inference.lookahead import Lookahead
from live_ser.inference.results import Prediction, Verdict
from live_ser.inference.settings import Settings
from live_ser.inference.utterance_classifier import UtteranceClassifier
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import SlidingWindows
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline


class Stream:
    """Classifies sound that somebody else captures, such as a voice assistant or a server.

    One speaker's sound goes into one stream, whatever the size of the blocks. :meth:`Model.stream`
    makes one.

    Args:
        model: the model.
        rate: sample rate of what is fed, in Hz; the model's own if None.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant in seconds; 0 is off, 1 if None.
        baseline: what is known of the speaker; nothing if None. It learns from what is fed.
        turns: whether :meth:`turn` will be called; without it, utterances are not classified.

    Raises:
        InvalidArgument: the rate, the hop or the smoothing cannot be.

    Attributes:
        hop: seconds between predictions.

    Examples:
        >>> import numpy as np
        >>> import live_ser
        >>> stream = live_ser.load().stream(rate=48_000)
        >>> [prediction.state for prediction in stream.feed(np.zeros(48_000))]
        ['silence']
        >>> stream.turn().state
        'silence'
    """

    def __init__(
        self,
        model: EmotionModel,
        rate: float | None = None,
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        baseline: RunningBaseline | None = None,
        turns: bool = True,
    ) -> None:
        info = model.info
        settings = Settings.checked(info, hop, smoothing)
        self.hop = settings.hop
        self._model, self._turns = model, turns
        self._source_rate = info.features.sample_rate if rate is None else checked_rate(rate)
        self._resampler = self._new_resampler()
        self._front_end = FrontEnd(info, settings.hop)
        self._arrived = time.perf_counter()  # when the newest block came
        self._ready: list[Prediction] = []  # before a gap or the end of a turn
        self._hop = round(settings.hop * info.features.sample_rate)
        self._sliding = SlidingWindows(info)
        self._windows = WindowClassifier(model, settings, baseline)
        self._labelling = Labelling(model, self._windows)
        # Turns are classified by utterances, which would count the windows' speech twice.
        self._lookahead = Lookahead(model, RunningBaseline.of(model))
        self._turn_start = 0.0
        self._utterances = UtteranceClassifier(model, self._lookahead)

    @property
    def seconds(self) -> float:
        """Time from the start of the stream to the newest sample, classified or waiting."""
        return self._front_end.seconds

    @property
    def lacking(self) -> float:
        """Seconds of sound until the next prediction, at least; nothing or less if there is one."""
        return self._front_end.lacking

    def feed(self, samples: ArrayLike) -> list[Prediction]:
        """Take the next block of sound.

        Args:
            samples: ``[n]``, mono, of any size: floats with full scale at 1, or integers of at most
                32 bits with the full scale of their type. They are copied.

        Returns:
            A prediction for each hop that the block completes; often none.

        Raises:
            InvalidArgument: this is no mono sound.
        """
        self.take(samples)
        return self.predictions()

    def take(self, samples: ArrayLike) -> bool:
        """Take the next block of sound without classifying it, which is cheap.

        :meth:`feed` in two steps, for those who classify in a thread of their own.

        Args:
            samples: as :meth:`feed` takes them.

        Returns:
            Whether :meth:`predictions` has one now.

        Raises:
            InvalidArgument: this is no mono sound.
        """
        self._arrived = time.perf_counter()
        return self._front_end.take(self._resampler.push(checked_block(samples, "samples")))

    def predictions(self) -> list[Prediction]:
        """Classify what was taken: a prediction for each hop that is complete."""
        self._ready += self._classify(self._front_end.steps(), self._arrived)
        ready, self._ready = self._ready, []
        return ready

    def gap(self, seconds: float) -> None:
        """Let time pass whose sound is lost: nothing is judged across it.

        Args:
            seconds: that are lost.
        """
        self._flush()
        self._front_end.gap(seconds)
        self._windows.forget()

    def finish(self) -> list[Prediction]:
        """End the stream.

        Returns:
            The predictions for what is left; the last one covers the sound after the last whole
            hop, as at the end of a recording.
        """
        self._flush()
        rest = self._classify(self._front_end.finish(), time.perf_counter(), cut_short=True)
        return self.predictions() + rest

    def turn(self) -> Verdict:
        """End a turn.

        Returns:
            The verdict on what was fed since the last turn; the next block begins another one.
        """
        self._flush()
        self._classify(self._front_end.finish(), time.perf_counter())
        for _ in self._utterances.finish():
            pass
        verdict = self._utterances.verdict(self.seconds - self._turn_start)
        self._turn_start = self.seconds
        self._utterances = UtteranceClassifier(self._model, self._lookahead, self.seconds)
        return verdict

    @property
    def spoken_until(self) -> float:
        """Seconds from the start of the stream to the end of the newest speech; -1 without any."""
        return self._labelling.spoken_until

    def label(self, emotion: str) -> Label | None:
        """Say what the newest utterance sounded like; the model learns from it.

        What was learnt counts from the next utterance on, and for the verdict on this turn.

        Args:
            emotion: one of the model's labels.

        Returns:
            The label; None where nobody has spoken yet.

        Raises:
            InvalidArgument: the model has no such label.
        """
        label = self._labelling.label(emotion)
        self._lookahead.model = self._labelling.model
        return label

    def undo(self) -> Label | None:
        """Take the newest label back.

        Returns:
            The utterance without a label; None where none is left.
        """
        label = self._labelling.undo()
        self._lookahead.model = self._labelling.model
        return label

    def _classify(
        self, steps: Iterable[Features], arrived: float, *, cut_short: bool = False
    ) -> list[Prediction]:
        predictions = []
        for features in steps:
            self._labelling.push(features)
            if self._turns:
                for _ in self._utterances.push(features):
                    pass
            window = self._sliding.push(features)
            # The end of a turn may cut a hop short; only the end of the stream has a window then.
            if cut_short or features.stop % self._hop == 0:
                predictions.append(self._windows.classify(window, arrived))
            arrived = time.perf_counter()
        return predictions

    def _flush(self) -> None:
        """Classify what the resampler still holds; what comes next begins anew."""
        rest = self._front_end.push(self._resampler.finish())
        self._ready += self._classify(rest, time.perf_counter())
        self._resampler = self._new_resampler()

    def _new_resampler(self) -> Resampler:
        return Resampler(self._source_rate, self._model.info.features.sample_rate)
