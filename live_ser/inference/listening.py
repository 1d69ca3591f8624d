"""Listening to a microphone from Python, with ``for`` or with ``async for``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from live_ser.audio.blocks import Block, Source
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.model.onnx_model import EmotionModel


class Listening:
    """Predictions of a microphone, one each hop, for as long as it is iterated over.

    The microphone is opened for the first prediction, and closed when the loop is left. Iterating
    again opens it again.

    Args:
        model: the model.
        microphone: opens the microphone.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant in seconds; 0 is off, 1 if None.
        show: called with each prediction, before whoever iterates has it, if it is there.
    """

    def __init__(
        self,
        model: EmotionModel,
        microphone: Callable[[], AbstractContextManager[Source]],
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        show: Callable[[Prediction], None] | None = None,
    ) -> None:
        self._model, self._microphone = model, microphone
        self._hop, self._smoothing = hop, smoothing
        self._show = show

    def __iter__(self) -> Generator[Prediction, None, None]:
        return self._predictions(threading.Event())

    async def __aiter__(self) -> AsyncGenerator[Prediction, None]:
        unwanted = threading.Event()
        predictions = self._predictions(unwanted)
        loop = asyncio.get_running_loop()
        # One thread: the microphone is closed when the last wait for it is over, and not before.
        with ThreadPoolExecutor(1, "live-ser") as thread:
            try:
                while (
                    one := await loop.run_in_executor(thread, next, predictions, None)
                ) is not None:
                    yield one
            finally:
                unwanted.set()
                thread.submit(predictions.close)

    def _predictions(self, unwanted: threading.Event) -> Generator[Prediction, None, None]:
        with self._microphone() as source:
            blocks = _Until(source, unwanted)
            hop, smoothing, voices = self._hop, self._smoothing, source.voices
            for one in Monitor(self._model, blocks, hop=hop, smoothing=smoothing, voices=voices):
                if self._show is not None:
                    self._show(one)
                yield one


class _Until:
    """The blocks of a source, until they are no longer wanted."""

    def __init__(self, source: Source, unwanted: threading.Event) -> None:
        self._source, self._unwanted = source, unwanted

    @property
    def backlog(self) -> float:
        """Seconds of sound that wait to be taken."""
        return self._source.backlog

    def __iter__(self) -> Iterator[Block]:
        for block in self._source:
            if self._unwanted.is_set():
                return
            yield block
