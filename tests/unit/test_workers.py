"""Work for streams: what is urgent goes first, and finds a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from live_ser.server.workers import Workers

WAIT = 20.0  # seconds, after which a test has failed


def test_urgent_work_goes_before_what_waited_longer() -> None:
    workers, begun, go, done = Workers(1, "test"), threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        assert go.wait(WAIT)

    def named(name: str) -> Callable[[], None]:
        return lambda: done.append(name)

    async def all_of_it() -> None:
        running = [asyncio.create_task(workers.run(first))]
        assert await asyncio.to_thread(begun.wait, WAIT)
        for name in ("patient", "urgent", "urgent, too"):
            work = workers.run(named(name), urgent=name != "patient")
            running.append(asyncio.create_task(work))
            await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*running)

    asyncio.run(all_of_it())
    workers.close()
    assert done == ["urgent", "urgent, too", "patient"]


def test_patient_work_leaves_a_thread_to_urgent_work() -> None:
    workers, go, running = Workers(2, "test"), threading.Event(), []

    def long() -> None:
        running.append(threading.current_thread())
        assert go.wait(WAIT)
        running.pop()

    async def all_of_it() -> int:
        patient = [asyncio.create_task(workers.run(long, urgent=False)) for _ in range(3)]
        await asyncio.sleep(0)
        most = await workers.run(lambda: len(running))
        go.set()
        await asyncio.gather(*patient)
        return most

    assert asyncio.run(all_of_it()) <= 1
    workers.close()


def test_an_error_is_that_of_who_waits() -> None:
    workers = Workers(1, "test")
    with pytest.raises(ZeroDivisionError):
        asyncio.run(workers.run(lambda: 1 // 0))
    assert asyncio.run(workers.run(lambda: 2)) == 2
    workers.close()
