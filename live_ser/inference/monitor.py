"""The monitor: blocks of sound in, one prediction each hop out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from live_ser.audio.blocks import AGAIN, Block, Gap, Voice
from live_ser.audio.channels import parts
from live_ser.frontend.stream import FrontEnd
from live_ser.inference.labelling import Label, Labelling, NewestVoice
from live_ser.inference.results import Prediction, spoken_by
from live_ser.inference.settings import Settings
from live_ser.inference.unshared import Unshared
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import SlidingWindows, Window
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline


class Monitor(Unshared):
    """Classify live sound: iterate over the monitor for one prediction each hop.

    Args:
        model: the model.
        blocks: ``[n]`` each, mono at the model's rate, or ``[n, channels]`` with ``voices``; a
            :class:`Gap` between them stands for lost sound. A :class:`Source` has a backlog.
        hop: seconds between predictions; None for the model's default.
        smoothing: time constant in seconds; 0 is off, None for the default of 1.
        baseline: the speaker's baseline, which the sound updates; None for a new one.
        voices: the channels of the blocks, each classified separately, against a baseline of its
            own; none for mono blocks. Each hop gives a prediction for each of them, in their order.

    Attributes:
        info: metadata of the model.
        hop: seconds between predictions.
        voices: the channels of the blocks; none for mono blocks.
        windows: number of predictions.
        skipped: number of windows without one, because newer sound was waiting already.

    Raises:
        InvalidArgument: ``hop`` or ``smoothing`` is out of range.
    """

    def __init__(
        self,
        model: EmotionModel,
        blocks: Iterable[Block],
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        baseline: RunningBaseline | None = None,
        voices: Sequence[Voice] = (),
    ) -> None:
        settings = Settings.checked(model.info, hop, smoothing)
        self.info = model.info
        self.hop = settings.hop
        self.voices = tuple(voices)
        self.windows = 0
        self.skipped = 0
        self._blocks = blocks
        self._chains = [
            _chain(model, settings, voice, None if voices else baseline)
            for voice in voices or (Voice(),)
        ]
        self._labels = NewestVoice(chain.labelling for chain in self._chains)

    @property
    def baseline(self) -> RunningBaseline | None:
        """The speaker's baseline; None for a model without one, and for several voices."""
        return None if self.voices else self._chains[0].classifier.baseline

    @property
    def seconds(self) -> float:
        """Seconds from the start of the source to the newest sound."""
        return self._chains[0].front_end.seconds

    def label(self, emotion: str) -> Label | None:
        """Label the newest utterance, as :meth:`Labelling.label` does."""
        return self._labels.label(emotion)

    def undo(self) -> Label | None:
        """Take back the newest label, as :meth:`Labelling.undo` does."""
        return self._labels.undo()

    def __iter__(self) -> Iterator[Prediction]:
        for block in self._blocks:
            if isinstance(block, Gap):
                for chain in self._chains:
                    chain.gap(block)
                continue
            arrived = time.perf_counter()
            each = parts(block, len(self.voices))
            pushed = [
                chain.front_end.push(part) for chain, part in zip(self._chains, each, strict=True)
            ]
            for hop in zip(*pushed, strict=True):
                is_behind = self._is_behind
                for chain, features in zip(self._chains, hop, strict=True):
                    chain.labelling.push(features)
                    window = chain.sliding.push(features)
                    if is_behind:
                        self.skipped += 1
                    else:
                        self.windows += 1
                        yield chain.classify(window, arrived)
                arrived = time.perf_counter()
        arrived = time.perf_counter()
        for chain in self._chains:
            for features in chain.front_end.finish():
                self.windows += 1
                yield chain.classify(chain.sliding.push(features), arrived)

    @property
    def _is_behind(self) -> bool:
        """Whether the sound that waits already completes a newer window."""
        backlog: float = getattr(self._blocks, "backlog", 0.0)  # a list of blocks has none
        return backlog >= self.hop


@dataclass(frozen=True)
class _Chain:
    """The chain from samples to predictions and labels for one voice."""

    voice: Voice
    front_end: FrontEnd
    sliding: SlidingWindows
    classifier: WindowClassifier
    labelling: Labelling

    def gap(self, gap: Gap) -> None:
        self.front_end.gap(gap.seconds)
        self.classifier.forget(speaker=gap.reason == AGAIN)

    def classify(self, window: Window, arrived: float) -> Prediction:
        return spoken_by(self.voice, self.classifier.classify(window, arrived))


def _chain(
    model: EmotionModel, settings: Settings, voice: Voice, baseline: RunningBaseline | None
) -> _Chain:
    classifier = WindowClassifier(model, settings, baseline)
    labelling = Labelling(model, classifier)
    front_end = FrontEnd(model.info, settings.hop)
    return _Chain(voice, front_end, SlidingWindows(model.info), classifier, labelling)
