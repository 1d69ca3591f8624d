"""The monitor: sound in, one prediction each hop out."""

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
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import SlidingWindows, Window
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline


class Monitor:
    """Classifies sound while it comes: iterate over it for one prediction each hop.

    Args:
        model: the model.
        blocks: ``[n]`` each, mono at the model's rate, or ``[n, channels]`` with ``voices``; a
            :class:`Gap` between them for what was not heard. A :class:`Source` tells its backlog.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant in seconds; 0 is off, 1 if None.
        baseline: what is known of the speaker; nothing if None. It learns from what is heard.
        voices: the channels of the blocks, each classified separately, against a baseline of its
            own; none for mono blocks. Each hop gives a prediction for each of them, in their order.

    Attributes:
        info: metadata of the model.
        hop: seconds between predictions.
        voices: the channels of the blocks; none for mono blocks.
        windows: how many were given out.
        skipped: how many were not, because newer sound was waiting already.

    Raises:
        InvalidArgument: the hop or the smoothing cannot be.
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
        """The speaker's; None for a model that takes none, and where there are several voices."""
        return None if self.voices else self._chains[0].classifier.baseline

    @property
    def seconds(self) -> float:
        """Time from the start of the source to the newest sound."""
        return self._chains[0].front_end.seconds

    def label(self, emotion: str) -> Label | None:
        """Say what the newest utterance sounded like; the model learns from it.

        What was learnt counts from the next utterance on.

        Args:
            emotion: one of the model's labels.

        Returns:
            The label; None where nobody has spoken yet.

        Raises:
            InvalidArgument: the model has no such label.
        """
        return self._labels.label(emotion)

    def undo(self) -> Label | None:
        """Take the newest label back.

        Returns:
            The utterance without a label; None where none is left.
        """
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
        """Whether a newer window than this one could be made of what waits already."""
        backlog: float = getattr(self._blocks, "backlog", 0.0)  # a list of blocks has none
        return backlog >= self.hop


@dataclass(frozen=True)
class _Chain:
    """What classifies one voice: its front end, its windows, their classifier, and its labels."""

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
