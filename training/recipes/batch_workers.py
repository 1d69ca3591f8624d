"""Batches for several runs, made by worker processes while a GPU trains."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import jax
import numpy as np

from training.data.batches import Batches
from training.data.packed import read_packed
from training.data.utterances import Utterances
from training.recipes.presets import recipe
from training.recipes.run import Run

_PREFETCH = 3  # batches made in advance by each process


def batches_of(run: Run, utterances: Utterances) -> Batches:
    """The batches of a run.

    Args:
        run: the run.
        utterances: all packed utterances, also those that the run does not train on.
    """
    wanted = set(run.splits.train)
    train = utterances.where([clip.id in wanted for clip in utterances.clips])
    batches = recipe(run.config).batches(train)
    assert isinstance(batches, Batches)
    return batches


class BatchWorkers:
    """Processes that make batches; a context manager.

    Args:
        packed: folder of the packed utterances.
        runs: folders of the runs.
        workers: number of processes.
    """

    def __init__(self, packed: Path, runs: Sequence[Path], workers: int) -> None:
        jax.devices()  # this process takes the GPU
        before = os.environ.get("JAX_PLATFORMS")
        os.environ["JAX_PLATFORMS"] = "cpu"  # and the others have none
        try:
            spawn = get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, spawn, _begin, (packed, list(runs)))
            for _ in range(workers):
                self._pool.submit(int)  # starts a process
        finally:
            del os.environ["JAX_PLATFORMS"]
            if before is not None:
                os.environ["JAX_PLATFORMS"] = before
        self._prefetch = _PREFETCH * workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def batches(self, order: Iterable[tuple[int, int]]) -> Iterator[Any]:
        """Batches in order.

        Args:
            order: epochs, and indices of the batches in them.

        Yields:
            Inputs and targets as those of :class:`training.data.batches.Batches`, stacked over the
            runs, in float16.
        """
        waiting: deque[Future[Any]] = deque()
        for place in order:
            waiting.append(self._pool.submit(_draw, *place))
            if len(waiting) >= self._prefetch:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_batches: list[Batches] = []  # of the runs, in a worker process


def _begin(packed: Path, runs: Sequence[Path]) -> None:
    utterances = read_packed(packed)
    _batches[:] = [batches_of(Run.open(folder), utterances) for folder in runs]


def _draw(epoch: int, index: int) -> Any:
    for batches in _batches:
        batches.epoch = epoch
    batch_of_each = [batches[index] for batches in _batches]
    return jax.tree.map(lambda *arrays: np.stack(arrays).astype(np.float16), *batch_of_each)
