"""A stream: sound is fed as it comes; predictions, and verdicts on turns, come out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from numpy.typing import ArrayLike

from live_ser.audio.arrays import checked_block, checked_rate
from live_ser.audio.resampler import Resampler
from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.labelling import Label, Labelling
from live_ser.inference.lookahead import Lookahead
from live_ser.inference.results import Prediction, Verdict
from live_ser.inference.settings import Settings, checked_seconds
from live_ser.inference.unshared import Unshared
from live_ser.inference.utterance_classifier import UtteranceClassifier
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import SlidingWindows
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline


class Stream(Unshared):
    """Classify sound that another program captures, such as a voice assistant or a server.

    A stream is for one speaker; blocks may have any size. :meth:`Model.stream` creates one. Any
    thread may call its methods; one call waits for another.

    Args:
        model: the model.
        rate: sample rate of the blocks in Hz; None for the model's.
        hop: seconds between predictions; None for the model's default.
        smoothing: time constant in seconds; 0 is off, None for the default of 1.
        baseline: the speaker's baseline, which the sound updates; None for a new one.
        turns: whether :meth:`turn` will be called; if not, utterances need not be classified.

    Raises:
        InvalidArgument: an argument is out of range.

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
        self._lock = threading.RLock()  # the resampler and the gate are native code
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
        # A baseline of its own: utterances would count the speech of the windows twice.
        self._lookahead = Lookahead(model, RunningBaseline.of(model))
        self._turn_start = 0.0
        self._utterances = UtteranceClassifier(model, self._lookahead)

    @property
    def seconds(self) -> float:
        """Seconds from the start of the stream to the newest sample, classified or waiting."""
        return self._front_end.seconds

    @property
    def lacking(self) -> float:
        """Seconds of sound missing for the next prediction, at least; 0 or less if there is one."""
        return self._front_end.lacking

    def feed(self, samples: ArrayLike) -> list[Prediction]:
        """Add a block of sound, and classify.

        Args:
            samples: ``[n]``, mono, of any size: floats with full scale at 1, or integers of at most
                32 bits with the full scale of their type. They are copied.

        Returns:
            A prediction for each hop that the block completes; often none.

        Raises:
            InvalidArgument: the samples are not mono sound.
        """
        with self._lock:
            self.take(samples)
            return self.predictions()

    def take(self, samples: ArrayLike) -> bool:
        """Add a block of sound without classifying it, which is cheap.

        With :meth:`predictions`, this is :meth:`feed` in two steps, to classify in another thread.

        Args:
            samples: as in :meth:`feed`.

        Returns:
            Whether :meth:`predictions` will return any.

        Raises:
            InvalidArgument: the samples are not mono sound.
        """
        block = checked_block(samples, "samples")
        with self._lock:
            self._arrived = time.perf_counter()
            return self._front_end.take(self._resampler.push(block))

    def predictions(self) -> list[Prediction]:
        """Classify the sound so far: a prediction for each complete hop."""
        with self._lock:
            self._ready += self._classify(self._front_end.steps(), self._arrived)
            ready, self._ready = self._ready, []
            return ready

    def gap(self, seconds: float) -> None:
        """Skip lost sound; no window or utterance reaches across the gap.

        Args:
            seconds: length of the gap.

        Raises:
            InvalidArgument: it is not a length of time.
        """
        seconds = checked_seconds(seconds, "gap")
        with self._lock:
            self._flush()
            self._front_end.gap(seconds)
            self._windows.forget()

    def finish(self) -> list[Prediction]:
        """End the stream.

        Returns:
            The remaining predictions; the last one covers the sound after the last whole hop, as at
            the end of a recording.
        """
        with self._lock:
            self._flush()
            rest = self._classify(self._front_end.finish(), time.perf_counter(), cut_short=True)
            return self.predictions() + rest

    def turn(self) -> Verdict:
        """End a turn.

        Returns:
            The verdict on the sound since the last turn.
        """
        with self._lock:
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
        """End of the newest speech, in seconds from the start of the stream; -1 without speech."""
        with self._lock:
            return self._labelling.spoken_until

    def label(self, emotion: str) -> Label | None:
        """Label the newest utterance, as :meth:`Labelling.label` does.

        What the model learns also counts for the verdict on this turn.
        """
        with self._lock:
            label = self._labelling.label(emotion)
            self._lookahead.model = self._labelling.model
            return label

    def undo(self) -> Label | None:
        """Take back the newest label, as :meth:`Labelling.undo` does."""
        with self._lock:
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
            # The end of a turn may cut a hop short: only the end of the stream gives a window then.
            if cut_short or features.stop % self._hop == 0:
                predictions.append(self._windows.classify(window, arrived))
            arrived = time.perf_counter()
        return predictions

    def _flush(self) -> None:
        """Classify the sound that the resampler still holds, and start a new resampler."""
        rest = self._front_end.push(self._resampler.finish())
        self._ready += self._classify(rest, time.perf_counter())
        self._resampler = self._new_resampler()

    def _new_resampler(self) -> Resampler:
        return Resampler(self._source_rate, self._model.info.features.sample_rate)
