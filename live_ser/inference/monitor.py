"""The monitor: sound in, one prediction each hop out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from live_ser.audio.blocks import AGAIN, Block, Gap
from live_ser.frontend.stream import FrontEnd
from live_ser.inference.results import Prediction
from live_ser.inference.settings import Settings
from live_ser.inference.window_classifier import WindowClassifier
from live_ser.inference.windows import SlidingWindows
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.speaker import RunningBaseline


class Monitor:
    """Judges sound while it comes: iterate over it for one prediction each hop.

    Args:
        model: the model that judges.
        blocks: ``[n]`` each, mono at the model's rate; a :class:`Gap` between them for what was not
            heard. A :class:`Source` tells its backlog.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant in seconds; 0 is off, 1 if None.
        baseline: what is known of the speaker; nothing if None. It learns from what is heard.

    Attributes:
        info: metadata of the model.
        hop: seconds between predictions.
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
    ) -> None:
        settings = Settings.checked(model.info, hop, smoothing)
        self.info = model.info
        self.hop = settings.hop
        self.windows = 0
        self.skipped = 0
        self._blocks = blocks
        self._front_end = FrontEnd(model.info, settings.hop)
        self._sliding = SlidingWindows(model.info)
        self._classifier = WindowClassifier(model, settings, baseline)

    @property
    def baseline(self) -> RunningBaseline | None:
        """The speaker's; None for a model that takes none."""
        return self._classifier.baseline

    @property
    def seconds(self) -> float:
        """Time from the start of the source to the newest sound."""
        return self._front_end.seconds

    def __iter__(self) -> Iterator[Prediction]:
        for block in self._blocks:
            if isinstance(block, Gap):
                self._front_end.gap(block.seconds)
                self._classifier.forget(speaker=block.reason == AGAIN)
                continue
            arrived = time.perf_counter()
            for features in self._front_end.push(block):
                window = self._sliding.push(features)
                if self._is_behind:
                    self.skipped += 1
                else:
                    self.windows += 1
                    yield self._classifier.classify(window, arrived)
                arrived = time.perf_counter()
        arrived = time.perf_counter()
        for features in self._front_end.finish():
            self.windows += 1
            yield self._classifier.classify(self._sliding.push(features), arrived)

    @property
    def _is_behind(self) -> bool:
        """Whether a newer window than this one could be made of what waits already."""
        backlog: float = getattr(self._blocks, "backlog", 0.0)  # a list of blocks has none
        return backlog >= self.hop
