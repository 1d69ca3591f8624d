"""Fuzzing of everything that reads files: ``make fuzz``.

    python -m tests.support.fuzz [--cases N] [--first SEED] [KIND...]

Each case must give a result or an error of one line. A case that gives a traceback, takes too much
time or memory, or ends the process, is a finding: its seed is printed, and its file is stored in
``.fuzz``. The files are read in another process, which may crash.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from tests.support.mutations import KINDS, PROBE, TRAP, made

Reader = Callable[[Path], None]

SECONDS = 20.0  # that a case may take
MEMORY = 2**30  # bytes that reading may take on top of what the process has when it begins
KEPT = Path(".fuzz")


@dataclass(frozen=True)
class Finding:
    """A case that fails.

    Attributes:
        kind: kind of the file.
        seed: seed that reproduces it.
        what: what happened.
    """

    kind: str
    seed: int
    what: str


def fuzz(kind: str, seeds: range | list[int]) -> list[Finding]:
    """Read the broken files of some seeds, and return the findings."""
    findings: list[Finding] = []
    left = list(seeds)
    while left:
        with tempfile.TemporaryDirectory() as folder:
            done, ended = _read_some(kind, left, Path(folder), findings)
            if (Path(folder) / TRAP).exists():
                findings.append(Finding(kind, left[done - 1], "loading it ran code"))
        left = left[done:]
        if ended and left:
            findings.append(Finding(kind, left.pop(0), ended))
    return findings


def _read_some(
    kind: str, seeds: list[int], folder: Path, findings: list[Finding]
) -> tuple[int, str]:
    """Read in a process until it ends: the number of files read, and why it ended."""
    words = [sys.executable, "-m", "tests.support.fuzz", "--read", kind, *map(str, seeds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    with subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:  # fmt: skip
        answers: SimpleQueue[str] = SimpleQueue()
        assert process.stdout is not None
        lines = process.stdout

        def listen() -> None:
            for line in lines:
                answers.put(line.rstrip("\n"))
            answers.put("")

        threading.Thread(target=listen, daemon=True).start()
        done = 0
        patience = 10 * SECONDS  # to start
        while done < len(seeds):
            try:
                answer = answers.get(timeout=patience)
            except Empty:
                process.kill()
                return done, f"took more than {patience:g} s"
            if not answer and patience > SECONDS:
                raise RuntimeError(f"the process that reads ended with {process.wait()}")
            if not answer:
                return done, f"the process ended with {process.wait()}"
            if answer != "ready":
                if answer != "ok":
                    findings.append(Finding(kind, seeds[done], answer))
                done += 1
            patience = SECONDS
        return done, ""


def read(kind: str, seeds: list[int]) -> None:
    """Read files in this process, and print a line for each: ``ok``, or what happened."""
    readers = _READERS[kind]()
    for reader in readers:
        _outcome(reader, _written(kind, 0))  # so that all is imported
    _limit_memory()
    # Native libraries print what they like.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    print("ready", file=answers, flush=True)
    for seed in seeds:
        path = _written(kind, seed)
        outcomes = [_outcome(reader, path) for reader in readers]
        print(next((x for x in outcomes if x != "ok"), "ok"), file=answers, flush=True)


def _written(kind: str, seed: int) -> Path:
    content, suffix = made(kind, seed)
    path = Path(f"case{suffix}")
    path.write_bytes(content)
    return path


def _outcome(reader: Reader, path: Path) -> str:
    from live_ser.errors import LiveSerError

    before = time.monotonic()
    try:
        reader(path)
    except LiveSerError as error:
        lines = f"{error.message}{error.hint}"
        if "\n" in lines or len(lines) > 1000:
            return f"no clear line: {lines[:200]!r}"
    except MemoryError:
        return "took too much memory"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        return f"{type(error).__name__} at {place}: {error!s:.200}".replace("\n", " ")
    seconds = time.monotonic() - before
    return "ok" if seconds < SECONDS else f"took {seconds:.1f} s"


def _audio_readers() -> list[Reader]:
    from live_ser.audio.sources import audio_file
    from live_ser.inference.recordings import classify_clip
    from live_ser.model.onnx_model import load
    from tests.support.tiny_model import tiny_info, write_model

    model = load(write_model(Path("tiny.onnx"), tiny_info()))

    def reader(path: Path) -> None:
        with audio_file(path, model.info.features.sample_rate) as blocks:
            classify_clip(model, blocks)

    return [reader]


def _model_readers() -> list[Reader]:
    import numpy as np

    from live_ser.model.onnx_model import load

    def reader(path: Path) -> None:
        model = load(path)
        model.predict(np.full((20, model.info.features.n_mels), -40, np.float32))

    return [reader]


def _session_readers() -> list[Reader]:
    from live_ser.batch.resume import unfinished
    from live_ser.report.page import write_report

    def reported(path: Path) -> None:
        write_report(path, path.with_suffix(".html"), force=True)

    def gone_on_with(path: Path) -> None:
        style: Literal["csv", "jsonl"] = "csv" if path.suffix == ".csv" else "jsonl"
        labels = ["neutral", "happy", "sad", "angry"]
        unfinished(path, style, labels, ["clip.wav"], "options of another run")

    return [reported, gone_on_with]


def _profile_readers() -> list[Reader]:
    import numpy as np

    from live_ser.model.onnx_model import EmotionModel
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline
    from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

    with tempfile.TemporaryDirectory() as folder:
        info = tiny_info(baseline=tiny_baseline())
        network = EmotionModel(write_model(Path(folder) / "tiny.onnx", info))
    vars(network)["probe"] = np.array(PROBE)

    def reader(path: Path) -> None:
        baseline = RunningBaseline.of(Profile("fuzz", path, network).applied())
        assert baseline
        assert np.isfinite(baseline.before(0)).all()

    return [reader]


_READERS: dict[str, Callable[[], list[Reader]]] = {
    "audio": _audio_readers,
    "model": _model_readers,
    "session": _session_readers,
    "table": _session_readers,
    "profile": _profile_readers,
}


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _portions(seeds: range, size: int = 1000) -> Iterator[range]:
    for start in range(seeds.start, seeds.stop, size):
        yield range(start, min(start + size, seeds.stop))


def main() -> int:
    """Fuzz the requested kinds; 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--cases", type=int, default=10_000, metavar="N", help="of each kind")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    options = parser.parse_args()
    found = 0
    for kind in options.kinds or KINDS:
        start = time.monotonic()
        for seeds in _portions(range(options.first, options.first + options.cases)):
            for finding in fuzz(kind, seeds):
                found += 1
                content, suffix = made(kind, finding.seed)
                KEPT.mkdir(exist_ok=True)
                path = KEPT / f"{kind}-{finding.seed}{suffix}"
                path.write_bytes(content)
                print(f"{kind} {finding.seed}: {finding.what}; kept as {path}", flush=True)
        seconds = time.monotonic() - start
        last = options.first + options.cases - 1
        print(f"{kind}: seeds {options.first} to {last} in {seconds:.0f} s", flush=True)
    print(f"{found} findings")
    return int(found > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2], [int(word) for word in sys.argv[3:]])
    else:
        sys.exit(main())
