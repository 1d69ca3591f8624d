"""The command line, run as a user runs it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from unittest.mock import patch

LIVE_SER = [sys.executable, "-m", "live_ser"]

Completed = subprocess.CompletedProcess[str]


def live_ser(*words: object) -> Completed:
    """Run a command in this process, which takes a tenth of the time of one of its own.

    Its standard streams are files, its standard input is empty. Signals, terminals, environment
    variables that libraries read when they are loaded, and sound servers need
    :func:`live_ser_process`.
    """
    from live_ser.cli.main import main

    command = [str(word) for word in words]
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        open(os.devnull, "rb") as nothing,
    ):
        with _standard_streams(nothing, out, err), patch("os._exit", sys.exit):
            try:
                code = main(command)
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
        return subprocess.CompletedProcess(command, code, _text(out), _text(err))


def live_ser_process(
    *words: object, timeout: float = 120, env: dict[str, str] | None = None
) -> Completed:
    """Run a command in a process of its own."""
    return subprocess.run(
        [*LIVE_SER, *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
        env=env,
    )


def live_ser_closed_early(*words: object) -> Completed:
    """Run a command whose standard output is closed after its first line, as by ``| head -1``."""
    with subprocess.Popen(
        [*LIVE_SER, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    return subprocess.CompletedProcess(process.args, process.returncode, line, errors)


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@contextmanager
def _standard_streams(*files: IO[bytes]) -> Iterator[None]:
    """Redirect standard input, output and error to files, also for native libraries."""
    before = sys.stdin, sys.stdout, sys.stderr
    originals = [os.dup(number) for number in range(3)]
    try:
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        err = io.FileIO(2, "w", closefd=False)
        sys.stderr = io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True)
        try:
            yield
        finally:
            for stream in (sys.stdin, sys.stdout, sys.stderr):
                stream.close()
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for number, descriptor in enumerate(originals):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _text(file: IO[bytes]) -> str:
    """The content of a file, with line ends as from :mod:`subprocess`."""
    file.seek(0)
    return file.read().decode().replace(os.linesep, "\n")
