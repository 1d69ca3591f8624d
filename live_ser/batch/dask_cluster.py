"""Classify files on a Dask cluster, from and to local or remote storage.

Files are processed in parts. The result of a part is a Parquet file, written atomically, so that a
worker that dies leaves nothing behind, and another one repeats its part.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec
import pyarrow
import pyarrow.parquet
from distributed import Client, WorkerPlugin, as_completed, get_worker
from distributed.scheduler import KilledWorker

from live_ser.batch.analysis import Analysis, Stamp, finished_key
from live_ser.batch.jobs import Job
from live_ser.batch.paths import expand_paths, is_sound
from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.parquet import Parquet
from live_ser.records.turn_files import TurnFiles
from live_ser.system.temporary import temporary_folder
from live_ser.text import unescaped

_LONGEST = 256  # files in a part, at most
_ROUNDS = 8  # parts for each thread of the cluster, at least, so that all end together
_AHEAD = 4  # queued parts per thread
_TRIES = 3  # for a part that failed
_PATIENCE = 20  # seconds to wait for a scheduler and its workers


@dataclass(frozen=True)
class Part:
    """Files for one worker.

    Attributes:
        name: name of the Parquet file.
        sources: the files, with the intervals of each, or the error; None for the whole file.
    """

    name: str
    sources: tuple[tuple[str, TurnFiles | LiveSerError | None], ...]


@dataclass(frozen=True)
class Done:
    """The outcome for a part.

    Attributes:
        files: number of files.
        seconds: length of their sound.
        errors: the error of each file that failed.
        notes: warnings about the others, a line each.
    """

    files: int
    seconds: float
    errors: tuple[LiveSerError, ...]
    notes: tuple[str, ...] = ()


def expand_sources(
    words: Sequence[str], *, left_alone: Callable[[str], None] = lambda name: None
) -> list[str]:
    """Expand names to files, as absolute paths or addresses.

    Args:
        words: as :func:`live_ser.batch.paths.expand_paths` takes them; and addresses such as
            ``s3://bucket/folder``, of files, folders and patterns.
        left_alone: function that is called with each other file in a local folder.

    Raises:
        LiveSerError: a place cannot be read.
    """
    found: list[str] = []
    for word in expand_paths(words, left_alone=left_alone):
        if "://" not in word:
            found.append(os.path.abspath(word))
            continue
        with _storage(word) as (system, path):
            if any(sign in path for sign in "*?["):
                names = system.glob(path)
            elif system.isdir(path):
                names = [name for name in system.find(path) if is_sound(os.path.basename(name))]
            else:
                names = [path]
            if not names:
                raise LiveSerError(f"there are no sound files at {word}", "see that it is right")
            found += [system.unstrip_protocol(name) for name in sorted(names)]
    return found


class Cluster:
    """A Dask cluster that classifies files.

    Args:
        scheduler: its address, such as ``tcp://host:8786``.
        model: the model; workers get a copy of its file.
        output: folder of the Parquet files, by path or address.
        analysis: the settings of the analysis.
        judged_with: the settings in words, as in records of clips.

    Raises:
        LiveSerError: no scheduler answers, it has no workers, or the output cannot be written.
    """

    def __init__(
        self,
        scheduler: str,
        model: EmotionModel,
        output: str,
        analysis: Analysis,
        judged_with: str,
    ) -> None:
        self._analysis, self._judged_with = analysis, judged_with
        self._output = output if "://" in output else os.path.abspath(output)
        with _storage(self._output) as (system, path):
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
        """The keys of the files that the output holds a verdict on already.

        Raises:
            LiveSerError: the output cannot be read, holds something else, or was begun with other
                options.
        """
        found: set[str] = set()
        with _storage(self._output) as (system, _):
            for name in self._parts_there():
                try:
                    with system.open(name, "rb") as stream:
                        clips = _clips(stream)
                except pyarrow.ArrowException as error:
                    raise LiveSerError(
                        f"{name} is no whole part of an output of live-ser", "take another folder"
                    ) from error
                for clip in clips:
                    # The key is made anew: as the file is to be found from here.
                    found.add(finished_key(self._output, clip, self._judged_with))
        return found

    def classify(self, sources: Sequence[str]) -> Generator[Done, None, None]:
        """Classify files; what comes of each part is told when it is done, in whatever order.

        Raises:
            LiveSerError: the output cannot be written, the workers lack a package, or the
                scheduler is gone.
        """
        threads = sum(self._client.nthreads().values())
        waiting = iter(self._parts(sources, threads))
        begun: dict[Any, Part] = {}
        running = as_completed(loop=self._client.loop)

        def begin(part: Part) -> None:
            task = self._client.submit(
                _classify_part,
                self._analysis,
                self._judged_with,
                part,
                self._output,
                pure=False,
                retries=_TRIES - 1,
            )
            begun[task] = part
            running.add(task)

        try:
            for part in islice(waiting, _AHEAD * threads):
                begin(part)
            while begun:
                task = next(running)
                part = begun.pop(task)
                if task.cancelled():
                    raise _scheduler_is_gone()
                error = task.exception()
                if error is None:
                    yield _result(task)
                elif not isinstance(error, KilledWorker):
                    raise _in_our_words(error) from error
                elif len(part.sources) > 1:  # one of its files is deadly: which one?
                    for piece in _pieces(part):
                        begin(piece)
                else:
                    yield Done(1, 0.0, (_deadly(part.sources[0][0]),))
                if (following := next(waiting, None)) is not None:
                    begin(following)
        finally:
            if begun:
                self._client.cancel(list(begun))

    def close(self) -> None:
        """Let the cluster go."""
        self._client.close()

    def _parts(self, sources: Sequence[str], threads: int) -> Iterator[Part]:
        # An output that was broken off may lack parts between others, and workers may still be at
        # parts of whoever broke off: no name is taken twice.
        numbers = re.findall(r"/part-(\d+)", "\n".join(self._parts_there()))
        first, run = max(map(int, numbers), default=-1) + 1, uuid.uuid4().hex[:8]
        size = max(1, min(_LONGEST, len(sources) // (_ROUNDS * threads)))
        for number, start in enumerate(range(0, len(sources), size), first):
            chosen = tuple((one, self._at(one)) for one in sources[start : start + size])
            yield Part(f"part-{number:07}-{run}.parquet", chosen)

    def _at(self, source: str) -> TurnFiles | LiveSerError | None:
        """The intervals of a file: they are on this machine, and travel with its name."""
        try:
            return self._analysis.at and self._analysis.at.read_for(source)
        except LiveSerError as error:
            return error

    def _parts_there(self) -> list[str]:
        with _storage(self._output) as (system, path):
            system.invalidate_cache()
            return sorted(system.glob(f"{path.rstrip('/')}/part-*.parquet"))


class _Model(WorkerPlugin):  # type: ignore[misc]
    """Brings the model to every worker, also to those that come later.

    Paths differ from machine to machine, so that the file itself travels, and what the speaker
    taught it.
    """

    name = "live-ser's model"

    def __init__(self, model: EmotionModel) -> None:
        self._file, self._open = model.path.read_bytes(), model.opener()

    def setup(self, worker: Any) -> None:
        with temporary_folder() as folder:
            path = folder / "model.onnx"
            path.write_bytes(self._file)
            worker.live_ser_model = self._open(path)


def _classify_part(analysis: Analysis, judged_with: str, part: Part, output: str) -> Done:
    """What a worker does."""
    errors: list[LiveSerError] = []
    notes: list[str] = []
    seconds = 0.0
    with temporary_folder() as folder:
        job = Job(get_worker().live_ser_model, folder, analysis, judged_with)
        local = folder / part.name
        with local.open("wb") as stream:
            writer = Parquet(stream, job.model.info.labels)
            for source, at in part.sources:
                try:
                    if isinstance(at, LiveSerError):
                        raise at
                    job = replace(job, analysis=replace(analysis, at=at))
                    with _fetched(source, folder) as path:
                        outcome = job(path, lambda share: None)
                except LiveSerError as error:
                    errors.append(error)
                    continue
                if outcome.error:
                    errors.append(_of(outcome.error, path, source))
                notes += (note.replace(path, source) for note in outcome.notes)
                stamp = Stamp(source, judged_with)
                for record in outcome.records:
                    writer.write(stamp.on(record))
                outcome.records.drop()
                seconds += outcome.seconds
            writer.close()
        _publish(local, output, part.name)
    return Done(len(part.sources), seconds, tuple(errors), tuple(notes))


def _clips(stream: Any) -> list[dict[str, Any]]:
    """The clips of a part: ``source`` and ``judged_with``, empty where it does not say so."""
    with pyarrow.parquet.ParquetFile(stream) as file:
        names = {"file", "type", "judged_with"} & set(file.schema_arrow.names)
        rows = file.read(columns=sorted(names)).to_pylist()
    return [
        {"source": unescaped(row["file"]), "judged_with": unescaped(row.get("judged_with") or "")}
        for row in rows
        if row["type"] == "clip"
    ]


@contextmanager
def _fetched(source: str, folder: Path) -> Iterator[str]:
    """A file where it can be opened: itself, or a copy of what lies elsewhere."""
    with _storage(source) as (system, path):
        if _is_local(system):
            yield path
            return
        copy = folder / f"sound{os.path.splitext(path)[1]}"
        try:
            system.get_file(path, str(copy))
        except FileNotFoundError as error:
            raise LiveSerError(f"there is no file {source}", "check the name") from error
    try:
        yield str(copy)
    finally:
        copy.unlink(missing_ok=True)


def _publish(local: Path, output: str, name: str) -> None:
    """Put a file into the output, whole or not at all."""
    with _storage(output) as (system, folder):
        if not _is_local(system):
            system.put_file(str(local), f"{folder}/{name}")  # an object is there once it is whole
            return
        beside = Path(folder) / f".{name}-{uuid.uuid4().hex}"
        try:
            with local.open("rb") as source, beside.open("xb") as file:
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(Path(folder) / name)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def _storage(address: str) -> Iterator[tuple[Any, str]]:
    """The file system of an address, and the path there."""
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise LiveSerError(f"{address} cannot be read: {error}", "install that package") from error
    except ValueError as error:
        message = f"{address} is no place for files: {error}"
        raise LiveSerError(message, "name a path, or an address such as s3://BUCKET/") from error
    try:
        yield system, path
    except OSError as error:
        message = f"cannot read or write {address}: {error.strerror or error}"
        raise LiveSerError(message, "see that it is right, and that every worker may") from error


def _is_local(system: Any) -> bool:
    return "file" in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,))


def _pieces(part: Part) -> list[Part]:
    stem = Path(part.name).stem
    return [
        Part(f"{stem}-{number:03}.parquet", (source,)) for number, source in enumerate(part.sources)
    ]


def _of(error: LiveSerError, path: str, source: str) -> LiveSerError:
    """What is said of a copy, said of the file itself."""
    return LiveSerError(error.message.replace(path, source), error.hint)


def _deadly(source: str) -> LiveSerError:
    return LiveSerError(f"{source} ended every worker that classified it", "classify it alone")


def _result(task: Any) -> Done:
    """What came of a part: it is fetched by way of the scheduler."""
    try:
        done: Done = task.result()
    except OSError as error:
        raise _scheduler_is_gone() from error
    return done


def _scheduler_is_gone() -> LiveSerError:
    return LiveSerError("the scheduler is gone", "start it again, and go on: `resume=True`")


def _in_our_words(error: Exception) -> LiveSerError:
    if isinstance(error, LiveSerError):
        return error
    return LiveSerError(
        f"a worker of the cluster failed: {type(error).__name__}: {error}",
        "see that all workers have the same live-ser, with its extra 'cluster'",
    )
