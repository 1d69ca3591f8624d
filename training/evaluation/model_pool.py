"""An exported model in several processes, to predict many recordings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from tqdm import tqdm

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.inference.recordings import classify_clip
from live_ser.inference.results import Verdict
from live_ser.model.onnx_model import EmotionModel
from live_ser.spec import ModelInfo
from training.corpora.clips import Clip
from training.evaluation.predictions import Predictions

T = TypeVar("T")
R = TypeVar("R")

Condition = Callable[[Clip, ModelInfo], Iterable[Samples]]
"""A picklable function from a clip to its blocks at the model's rate."""


class ModelPool:
    """A model file and the processes that predict with it; a context manager.

    Args:
        path: path of the model.
        workers: number of processes; 1 predicts in this process.
    """

    def __init__(self, path: Path, workers: int = 1) -> None:
        self.path = path
        self.info = _model(path).info
        self._stack = ExitStack()
        self._pool: ProcessPoolExecutor | None = None
        if workers > 1:
            # Not forked: a process with another library's threads in it cannot be.
            pool = ProcessPoolExecutor(workers, get_context("spawn"))
            self._pool = self._stack.enter_context(pool)

    def __enter__(self) -> ModelPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error and self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._stack.close()

    def predict(
        self, clips: Sequence[Clip], condition: Condition, description: str = ""
    ) -> Predictions:
        """Predict each clip, as ``live-ser file`` does it.

        Args:
            clips: the clips.
            condition: recording condition of the clips.
            description: description of the progress bar.
        """
        verdicts = self.map(partial(_verdict, condition=condition), clips, description, chunk=8)
        return Predictions(self.info.labels, tuple(clips), tuple(verdicts))

    def map(
        self,
        job: Callable[[EmotionModel, T], R],
        items: Sequence[T],
        description: str,
        chunk: int = 1,
    ) -> list[R]:
        """Apply a function to each item.

        Args:
            job: picklable function from the model and an item to a result.
            items: the items.
            description: description of the progress bar.
            chunk: number of items that a process gets at a time.

        Returns:
            The results, in the order of the items.

        Raises:
            LiveSerError: the job raised it, or a process died.
        """
        one = partial(_with_model, job, self.path)
        results = self._pool.map(one, items, chunksize=chunk) if self._pool else map(one, items)
        try:
            return list(tqdm(results, description, len(items), file=sys.stderr))
        except BrokenProcessPool as error:
            raise LiveSerError(
                "a process that predicted clips has died", "the same with --workers 1"
            ) from error


def _with_model(job: Callable[[EmotionModel, T], R], path: Path, item: T) -> R:
    return job(_model(path), item)


@lru_cache(maxsize=1)
def _model(path: Path) -> EmotionModel:
    return EmotionModel(path)


def _verdict(model: EmotionModel, clip: Clip, condition: Condition) -> Verdict:
    return classify_clip(model, condition(clip, model.info))
