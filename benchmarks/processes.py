"""Processes, with their time and memory."""

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
    """Resident bytes of a process and its descendants."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def peak_memory(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process, and return its maximum of resident bytes."""
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
    """The cost of a process and its descendants.

    Attributes:
        seconds: seconds from start to end.
        core_seconds: seconds of processor time.
        most_of_one: maximum of resident bytes of one of the processes.
    """

    seconds: float
    core_seconds: float
    most_of_one: int


def run_watched(words: Sequence[str]) -> Run:
    """Run a process to its end.

    Raises:
        RuntimeError: the process failed.
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
