"""The time from the start of the process to its first output: ``python -m benchmarks.start``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.machine import forget_files
from benchmarks.processes import LIVE_SER
from benchmarks.sounds import DEMO
from benchmarks.table import Cell, Effort, Table, command, spread

HEAVY = 0.05  # seconds that an import may take
_CLASSIFIED = re.compile(rb'"state": "(?:speech|uncertain)"')


def measure(effort: Effort) -> Table:
    """Seconds to the help, the first drawn dashboard, the first prediction."""
    rows: list[list[Cell]] = []
    notes = [
        "Aims: help 0.15 s, dashboard 0.5 s. The first prediction is that of a replay that "
        "does not wait for its sound (``--speed 0``): the time to hear it comes on top."
    ]
    warm, cold = effort.of((21, 7), (3, 1), (1, 0))
    can_forget = bool(cold) and forget_files()
    if not can_forget:
        notes.append("Cold caches were not measured: that takes root on Linux.")
    for name, first in _MOMENTS.items():
        if can_forget:
            rows.append([f"{name}, caches cold", *spread([_cold(first) for _ in range(cold)])])
        first()
        rows.append([f"{name}, warm", *spread([first() for _ in range(warm)])])
    imports = ", ".join(f"{module} {seconds:.2f} s" for module, seconds in heavy_imports())
    notes.append(
        f"Imports of more than {HEAVY:g} s on the way to a prediction: {imports or 'none'}."
    )
    return Table(
        "From the start of the process, in s", ("", "median", "25 %", "75 %", "n"), rows, notes
    )


def to_help() -> float:
    start = time.perf_counter()
    subprocess.run([*LIVE_SER, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def to_prediction() -> float:
    words = [*LIVE_SER, "listen", "-q", "--from", str(DEMO), "--speed", "0", "--format", "jsonl"]
    start = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if _CLASSIFIED.search(line):
                seconds = time.perf_counter() - start
                process.terminate()
                return seconds
    raise RuntimeError("nothing was classified")


def to_dashboard() -> float:
    """Seconds until the last line of the page is drawn, in a terminal of 80 columns and 24 rows."""
    import pty
    import struct
    import termios
    from fcntl import ioctl

    start = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover
        ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        os.execve(sys.executable, [*LIVE_SER, "listen", "--from", str(DEMO)], environment)
    drawn = b""
    while b"\x1b[24;1H" not in drawn:
        drawn += os.read(terminal, 65536)
    seconds = time.perf_counter() - start
    os.write(terminal, b"q")
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:  # on Linux, the other end was closed
        pass
    os.waitpid(process, 0)
    os.close(terminal)
    return seconds


def heavy_imports() -> list[tuple[str, float]]:
    """Modules that take long to import, with what they import; nested ones are not listed."""
    words = [*LIVE_SER, "listen", "-v", "--from", str(DEMO), "--duration", "4", "--speed", "0"]
    run = subprocess.run(
        [words[0], "-X", "importtime", *words[1:]], capture_output=True, text=True, check=True
    )
    entries = re.findall(r"^import time: +\d+ \| +(\d+) \|( +)(\S+)$", run.stderr, re.M)
    found: list[tuple[str, float]] = []
    covered = 0  # depth of the last module in the result; its own imports are listed before it
    for microseconds, indent, module in reversed(entries):
        depth = len(indent)
        if covered and depth > covered:
            continue
        covered = 0
        if int(microseconds) >= HEAVY * 1e6 and not module.startswith("live_ser"):
            found.append((module, int(microseconds) / 1e6))
            covered = depth
    return sorted(found, key=lambda entry: -entry[1])


def _cold(first: Callable[[], float]) -> float:
    forget_files()
    return first()


_MOMENTS: dict[str, Callable[[], float]] = {"--help": to_help, "first prediction": to_prediction}
if sys.platform != "win32":
    _MOMENTS["first dashboard"] = to_dashboard


if __name__ == "__main__":
    command(measure, one_core=False)
