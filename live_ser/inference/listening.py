"""Listen to a microphone from Python, with ``for`` or ``async for``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from live_ser.audio.blocks import Block, Source
from live_ser.inference.labelling import Label, check_emotion
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.inference.unshared import Unshared
from live_ser.model.onnx_model import EmotionModel


class Listening(Unshared):
    """The predictions for a microphone, one each hop.

    The microphone is opened for the first prediction, and closed when the loop ends. Iterating
    again opens it again.

    Args:
        model: the model.
        microphone: function that opens the microphone.
        hop: seconds between predictions; None for the model's default.
        smoothing: time constant in seconds; 0 is off, None for the default of 1.
        show: function that is called with each prediction before it is yielded.
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
        self._show = show or (lambda prediction: None)
        self._monitor: Monitor | None = None  # the newest
        # Held while the monitor computes, but not while it waits for sound.
        self._computing = threading.Lock()

    def label(self, emotion: str) -> Label | None:
        """Label the newest utterance, as :meth:`Labelling.label` does.

        What the model learns is used until the loop ends. Any thread may call it, and any task
        beside an ``async for``.
        """
        check_emotion(self._model.info, emotion)
        with self._computing:
            return self._monitor.label(emotion) if self._monitor else None

    def undo(self) -> Label | None:
        """Take back the newest label, as :meth:`Labelling.undo` does."""
        with self._computing:
            return self._monitor.undo() if self._monitor else None

    def __iter__(self) -> Generator[Prediction, None, None]:
        return self._predictions(threading.Event())

    async def __aiter__(self) -> AsyncGenerator[Prediction, None]:
        unwanted = threading.Event()
        predictions = self._predictions(unwanted)
        loop = asyncio.get_running_loop()
        # One thread, so that the microphone is closed only after the last wait for a prediction.
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
            blocks = _Until(source, unwanted, self._computing)
            hop, smoothing, voices = self._hop, self._smoothing, source.voices
            monitor = Monitor(self._model, blocks, hop=hop, smoothing=smoothing, voices=voices)
            with self._computing:
                self._monitor = monitor
                for one in monitor:
                    with _released(self._computing):
                        self._show(one)
                        yield one


class _Until:
    """The blocks of a source, until an event is set.

    Args:
        source: source of the blocks.
        unwanted: event that ends the iteration.
        computing: lock that is released while it waits for the next block.
    """

    def __init__(
        self, source: Source, unwanted: threading.Event, computing: threading.Lock
    ) -> None:
        self._source, self._unwanted, self._computing = source, unwanted, computing

    @property
    def backlog(self) -> float:
        """Seconds of sound that wait to be read."""
        return self._source.backlog

    def __iter__(self) -> Iterator[Block]:
        blocks = iter(self._source)
        while True:
            with _released(self._computing):
                block = next(blocks, None)
            if block is None or self._unwanted.is_set():
                return
            yield block


@contextmanager
def _released(lock: threading.Lock) -> Iterator[None]:
    """Release a lock during the ``with`` block."""
    lock.release()
    try:
        yield
    finally:
        lock.acquire()
