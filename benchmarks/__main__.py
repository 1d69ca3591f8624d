"""All benchmarks: ``make bench``, or ``python -m benchmarks [--quick] [NAME...]``.

It prints the tables. Without names, it also writes ``docs/performance.json`` and
``docs/performance.png``, and puts the tables into ``docs/performance.md``, between two marked
lines, so that the whole page is from one run on one machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.page import fill, plot
from benchmarks.table import Table, table_of

NAMES = (
    "hop",
    "rivals",
    "start",
    "recordings",
    "long_file",
    "archive",
    "microphones",
    "memory",
    "drawing",
    "installed",
)
DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, in two minutes")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="for the page (default: docs; nowhere if a NAME is given)",
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}: {', '.join(NAMES)}")
    start = time.monotonic()
    tables: dict[str, Table] = {}
    where = machine.description()
    for name in options.names or NAMES:
        tables[name] = _measured(name, quick=options.quick)
        tables[name].print()
    figures: dict[str, Any] = {
        "machine": where,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": options.quick,
        "seconds": round(time.monotonic() - start),
        "tables": {name: asdict(table) for name, table in tables.items()},
    }
    if folder := options.output or (None if options.names else DOCS):
        _write(figures, tables, folder)


def _write(figures: Mapping[str, Any], tables: Mapping[str, Table], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "performance.json"
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    plot(tables, folder / "performance.png")
    if (page := folder / "performance.md").is_file():
        page.write_text(fill(page.read_text("utf-8"), figures), "utf-8")
    print(f"\nwrote {path} after {figures['seconds']} s", file=sys.stderr)


def _measured(name: str, *, quick: bool) -> Table:
    """The table of one benchmark, run in a process of its own."""
    print(f"measuring: {name}", file=sys.stderr)
    words = [sys.executable, "-m", f"benchmarks.{name}", "--json", *["--quick"] * quick]
    run = subprocess.run(words, stdout=subprocess.PIPE, check=True, encoding="utf-8")
    return table_of(json.loads(run.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
