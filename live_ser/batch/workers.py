"""Worker processes, which may die without affecting others.

A worker sends a heartbeat every second. One that is stopped or stuck is killed and replaced, like
one that died.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from live_ser.errors import LiveSerError

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection as Connection
else:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")
Report = Callable[[float], None]

_TRIES = 2  # for an item whose worker died
_FAILED_STARTS = 3  # consecutive workers that die at the start, after which no more are started
_MOST_WAITING = 4096  # results that wait for an earlier one
_LOOK_EVERY = 0.1  # seconds between checks for signals
_BEAT_EVERY = 1.0  # seconds between heartbeats
_PATIENCE = 15.0  # seconds without a heartbeat, after which a worker is killed
_PATIENCE_AT_START = 90.0  # the same while it imports modules
_QUICK = 0.1  # seconds: a worker that takes less for an item gets the next one in advance


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    numbers: deque[int] = field(default_factory=deque)  # of its current item, and the next
    since: float = 0.0  # start of the first of them
    quick: bool = False  # with the last one
    silent: float = 0.0  # seconds without a message

    @property
    def is_stuck(self) -> bool:
        """Whether it has sent no heartbeat for too long."""
        return self.silent > (_PATIENCE if self.ready else _PATIENCE_AT_START)

    @property
    def has_room(self) -> bool:
        """Whether it can take an item; no item waits for a slow one."""
        return len(self.numbers) < (2 if self.quick else 1)


class Workers(Generic[Item, Result]):
    """Processes that turn items into results.

    Args:
        work: picklable function from an item, and a function to report progress, to a result.
        lost: function from an item whose worker died twice to its result.
        count: number of processes.
        progress: function that is called with the index of an item, and its progress.
        look: function that is called regularly; an exception in it ends the work.
    """

    def __init__(
        self,
        work: Callable[[Item, Report], Result],
        lost: Callable[[Item], Result],
        count: int,
        *,
        progress: Callable[[int, float], None] = lambda number, amount: None,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._work, self._lost, self._count = work, lost, count
        self._progress, self._look = progress, look
        self._context = get_context("spawn")
        self._workers: list[_Worker] = []
        self._items: dict[int, Item] = {}  # begun
        self._tries: dict[int, int] = {}
        self._again: deque[int] = deque()
        self._results: dict[int, Result] = {}
        self._failed_starts = 0

    def results(self, items: Iterable[Item]) -> Iterator[Result]:
        """The result of each item, in the order of the items.

        Raises:
            LiveSerError: no worker can be started.
        """
        waiting = enumerate(items)
        wanted = 0
        try:
            while True:
                self._feed(waiting)
                while wanted in self._results:
                    yield self._results.pop(wanted)
                    wanted += 1
                if not self._items and not self._results:
                    return
                self._receive()
                self._look()
        finally:
            self._stop()

    def _feed(self, waiting: Iterator[tuple[int, Item]]) -> None:
        while len(self._workers) < self._count or any(w.has_room for w in self._workers):
            if self._again:
                number = self._again.popleft()
            elif len(self._results) >= _MOST_WAITING:
                return
            elif (following := next(waiting, None)) is not None:
                number, self._items[following[0]] = following
            else:
                return
            worker = self._least_busy()
            if not worker.numbers:
                worker.since = time.monotonic()
            worker.numbers.append(number)
            try:
                worker.pipe.send(self._items[number])
            except OSError:  # it died: handled next
                continue

    def _least_busy(self) -> _Worker:
        least = min(self._workers, key=lambda worker: len(worker.numbers), default=None)
        if least is None or (least.numbers and len(self._workers) < self._count):
            return self._start()
        return least

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work, args=(self._work, theirs), daemon=True, name="live-ser worker"
        )
        process.start()
        theirs.close()  # otherwise, the death of the worker would not close our end
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def _receive(self) -> None:
        by_pipe: dict[Any, _Worker] = {worker.pipe: worker for worker in self._workers}
        asked = time.monotonic()
        ready = wait(list(by_pipe), _LOOK_EVERY)
        # Limited, because this process may have been stopped together with its workers.
        listened = min(time.monotonic() - asked, _LOOK_EVERY)
        for pipe, worker in by_pipe.items():
            worker.silent = 0.0 if pipe in ready else worker.silent + listened
            if worker.is_stuck:
                worker.process.kill()  # which ends a stopped one, too
                self._remove(worker)
        for worker in (by_pipe[pipe] for pipe in ready):
            try:
                kind, value = worker.pipe.recv()
            except (EOFError, OSError):
                self._remove(worker)
                continue
            if kind == "beat":
                continue
            if kind == "ready":
                worker.ready, self._failed_starts = True, 0
            elif kind == "progress":
                self._progress(worker.numbers[0], value)
            else:
                self._done(worker.numbers.popleft(), value)
                began, worker.since = worker.since, time.monotonic()
                worker.quick = worker.since - began < _QUICK

    def _done(self, number: int, result: Result) -> None:
        self._results[number] = result
        del self._items[number]
        self._tries.pop(number, None)

    def _remove(self, worker: _Worker) -> None:
        """Remove a dead worker; its items are tried again, or given up."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts == _FAILED_STARTS:
                raise LiveSerError(
                    f"worker processes end before they begin (exit code {worker.process.exitcode})",
                    "the same with `workers=1`",
                )
        elif worker.numbers:
            number = worker.numbers[0]
            self._tries[number] = self._tries.get(number, 0) + 1
            if self._tries[number] == _TRIES:
                self._done(worker.numbers.popleft(), self._lost(self._items[number]))
        self._again += worker.numbers

    def _stop(self) -> None:
        for worker in self._workers:
            worker.process.kill()  # a stopped process ignores other signals
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _work(work: Callable[[Any, Report], Any], pipe: Connection) -> None:
    """The loop of a worker process, until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C, the parent process ends it
    one_at_a_time = threading.Lock()

    def send(kind: str, value: object = None) -> None:
        with one_at_a_time:
            pipe.send((kind, value))

    def beat() -> None:
        with suppress(OSError):
            while True:
                time.sleep(_BEAT_EVERY)
                send("beat")

    send("ready")
    threading.Thread(target=beat, daemon=True).start()
    try:
        while True:
            item = pipe.recv()
            send("done", work(item, lambda amount: send("progress", amount)))
    except (EOFError, OSError):
        return
