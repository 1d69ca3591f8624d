"""Processes that are measured from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

LIVE_SER = [sys.executable, "-m", "live_ser"]
_LOOK_EVERY = 0.05  # seconds


def resident(process: psutil.Process) -> int:
    """Bytes of a process and of all that it started."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def peak_memory(process: subprocess.Popen[bytes]) -> int:
    """The most bytes that were resident until the process ended; it is waited for."""
    watched = psutil.Process(process.pid)
    most = 0
    while process.poll() is None:
        try:
            most = max(most, resident(watched))
        except psutil.NoSuchProcess:
            break
        time.sleep(_LOOK_EVERY)
    process.wait()
    return most


@dataclass(frozen=True)
class Run:
    """What a process took, with all that it started.

    Attributes:
        seconds: from its start to its end.
        core_seconds: of processor time.
        most_of_one: the most bytes that one of the processes had resident.
    """

    seconds: float
    core_seconds: float
    most_of_one: int


def run_watched(words: Sequence[str]) -> Run:
    """Run a process to its end.

    Raises:
        RuntimeError: it failed.
    """
    start, used = time.perf_counter(), os.times()
    most = 0
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                for each in (watched, *watched.children(recursive=True)):
                    most = max(most, each.memory_info().rss)
            time.sleep(_LOOK_EVERY)
    seconds, after = time.perf_counter() - start, os.times()
    if process.returncode:
        raise RuntimeError(f"{words} ended with {process.returncode}")
    cores = after.children_user + after.children_system
    return Run(seconds, cores - used.children_user - used.children_system, most)
