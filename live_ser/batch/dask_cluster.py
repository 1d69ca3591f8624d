"""Classify files on a Dask cluster, from and to local or remote storage.

Files are processed in parts. The result of a part is a Parquet file, written atomically, so that a
worker that dies leaves nothing behind, and another one repeats its part.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow
from distributed import Client, WorkerPlugin, as_completed, get_worker
from distributed.scheduler import KilledWorker

from live_ser.batch.analysis import Analysis, finished_key
from live_ser.batch.jobs import Job
from live_ser.batch.part import Intervals, Part, PartOutcome, classify_part, read_clips
from live_ser.batch.storage import opened
from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import EmotionModel
from live_ser.system.temporary import temporary_folder

_LARGEST = 256  # files in a part, at most
_ROUNDS = 8  # parts for each thread of the cluster, at least, so that all end together
_QUEUED = 4  # parts submitted in advance per thread
_TRIES = 3  # for a part that failed
_PATIENCE = 20  # seconds to wait for a scheduler and its workers


class Cluster:
    """A Dask cluster that classifies files.

    Args:
        scheduler: its address, such as ``tcp://host:8786``.
        model: the model; workers get a copy of its file.
        output: folder of the Parquet files, by path or address.
        analysis: the settings of the analysis.
        settings: the settings in words, as in records of clips.

    Raises:
        LiveSerError: no scheduler answers, it has no workers, or the output cannot be written.
    """

    def __init__(
        self,
        scheduler: str,
        model: EmotionModel,
        output: str,
        analysis: Analysis,
        settings: str,
    ) -> None:
        self._analysis, self._settings = analysis, settings
        self._output = output if "://" in output else os.path.abspath(output)
        with opened(self._output) as (system, path):
            system.makedirs(path, exist_ok=True)
        try:
            self._client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise LiveSerError(
                f"no Dask scheduler answers at {scheduler}",
                "start one: dask scheduler; and workers: dask worker tcp://HOST:8786",
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
            self._client.register_plugin(_Model(model))
        except TimeoutError as error:
            self.close()
            raise LiveSerError(
                f"the scheduler at {scheduler} has no workers",
                f"start some: dask worker {scheduler} --nthreads 1",
            ) from error

    def finished(self) -> set[str]:
        """The keys of the files with a verdict in the output.

        Raises:
            LiveSerError: the output cannot be read, contains something else, or was started with
                other options.
        """
        with opened(self._output) as (system, _):
            # Keys are computed anew: those in the output may be of paths on other machines.
            return {
                finished_key(self._output, clip, self._settings)
                for name in self._part_names()
                for clip in _clips_in(system, name)
            }

    def classify(self, sources: Sequence[str]) -> Generator[PartOutcome, None, None]:
        """Classify files, and yield the outcome for each part when it is done, in any order.

        Args:
            sources: paths or addresses of the files.

        Raises:
            LiveSerError: the output cannot be written, the workers lack a package, or the
                scheduler is gone.
        """
        threads = sum(self._client.nthreads().values())
        waiting = iter(self._parts(sources, threads))
        submitted: dict[Any, Part] = {}
        running = as_completed(loop=self._client.loop)

        def submit(part: Part) -> None:
            arguments = self._analysis, self._settings, part, self._output
            task = self._client.submit(
                _classify_on_worker, *arguments, pure=False, retries=_TRIES - 1
            )
            submitted[task] = part
            running.add(task)

        try:
            for part in islice(waiting, _QUEUED * threads):
                submit(part)
            while submitted:
                task = next(running)
                part = submitted.pop(task)
                outcome = _outcome_of(task, part)
                if outcome is not None:
                    yield outcome
                else:  # one of the files ends every worker: find out which
                    for single in part.split():
                        submit(single)
                if (following := next(waiting, None)) is not None:
                    submit(following)
        finally:
            if submitted:
                self._client.cancel(list(submitted))

    def close(self) -> None:
        """Disconnect from the cluster."""
        self._client.close()

    def _parts(self, sources: Sequence[str], threads: int) -> Iterator[Part]:
        # In an interrupted output, parts may be missing between others, and workers may still write
        # parts of the earlier run: no name is used twice.
        numbers = re.findall(r"/part-(\d+)", "\n".join(self._part_names()))
        first, run = max(map(int, numbers), default=-1) + 1, uuid.uuid4().hex[:8]
        size = max(1, min(_LARGEST, len(sources) // (_ROUNDS * threads)))
        for number, start in enumerate(range(0, len(sources), size), first):
            chosen = tuple((one, self._intervals(one)) for one in sources[start : start + size])
            yield Part(f"part-{number:07}-{run}.parquet", chosen)

    def _intervals(self, source: str) -> Intervals:
        """The intervals of a file, read here, because workers may lack the files of intervals."""
        try:
            return self._analysis.at and self._analysis.at.read_for(source)
        except LiveSerError as error:
            return error

    def _part_names(self) -> list[str]:
        with opened(self._output) as (system, path):
            system.invalidate_cache()
            return sorted(system.glob(f"{path.rstrip('/')}/part-*.parquet"))


class _Model(WorkerPlugin):  # type: ignore[misc]
    """Sends the model to every worker, including those that join later.

    The content of the file is sent, since paths differ between machines, and what a speaker taught.
    """

    name = "live-ser's model"

    def __init__(self, model: EmotionModel) -> None:
        self._file, self._open = model.path.read_bytes(), model.opener()

    def setup(self, worker: Any) -> None:
        with temporary_folder() as folder:
            path = folder / "model.onnx"
            path.write_bytes(self._file)
            worker.live_ser_model = self._open(path)


def _classify_on_worker(analysis: Analysis, settings: str, part: Part, output: str) -> PartOutcome:
    """Classify a part, in a worker."""
    with temporary_folder() as folder:
        job = Job(get_worker().live_ser_model, folder, analysis, settings)
        return classify_part(job, part, output)


def _outcome_of(task: Any, part: Part) -> PartOutcome | None:
    """The outcome of a task that is done; None if one of several files ended the workers.

    Raises:
        LiveSerError: the scheduler is gone, or the task failed.
    """
    if task.cancelled():
        raise _scheduler_is_gone()
    error = task.exception()
    if isinstance(error, KilledWorker):
        if len(part.sources) > 1:
            return None
        (source, _), *_ = part.sources
        message = f"{source} ended every worker that classified it"
        return PartOutcome(1, 0.0, (LiveSerError(message, "classify it alone"),))
    if isinstance(error, LiveSerError):
        raise error
    if error is not None:
        raise LiveSerError(
            f"a worker of the cluster failed: {type(error).__name__}: {error}",
            "see that all workers have the same live-ser, with its extra 'cluster'",
        ) from error
    try:
        outcome: PartOutcome = task.result()  # from the scheduler
    except OSError as error:
        raise _scheduler_is_gone() from error
    return outcome


def _scheduler_is_gone() -> LiveSerError:
    return LiveSerError("the scheduler is gone", "start it again, and go on: `resume=True`")


def _clips_in(system: Any, name: str) -> list[dict[str, Any]]:
    """The clips in a file of the output."""
    try:
        with system.open(name, "rb") as stream:
            return read_clips(stream)
    except pyarrow.ArrowException as error:
        raise LiveSerError(
            f"{name} is no whole part of an output of live-ser", "take another folder"
        ) from error
