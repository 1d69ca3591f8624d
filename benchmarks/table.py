"""A table of figures, the result of every benchmark."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import on_one_core

Floats = NDArray[np.float64]
Cell = str | float | None
Amount = TypeVar("Amount")


class Effort(Enum):
    """How often measurements are repeated."""

    FULL = "full"
    QUICK = "quick"  # for a first impression
    LEAST = "least"  # shows that it runs

    def of(self, full: Amount, quick: Amount, least: Amount) -> Amount:
        """The amount for this effort."""
        return {Effort.FULL: full, Effort.QUICK: quick, Effort.LEAST: least}[self]


@dataclass(frozen=True)
class Table:
    """Figures, with notes.

    Attributes:
        title: title of the table.
        columns: titles of the columns.
        rows: cells of each row; None for what was not measured.
        notes: lines below the table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = field(default_factory=tuple)

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", _line(self.columns)]
        lines.append(_line(["---", *["---:"] * (len(self.columns) - 1)]))
        lines += [_line([shown(cell) for cell in row]) for row in self.rows]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines)

    def print(self, file: TextIO = sys.stdout) -> None:
        cells = [list(self.columns), *([shown(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        print(f"\n{self.title}", file=file)
        for row in cells:
            first, *rest = [
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            print("  " + "  ".join([first, *rest]).rstrip(), file=file)
        for note in self.notes:
            print(f"  {note}", file=file, flush=True)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def shown(cell: Cell) -> str:
    """A cell as text, with three significant digits."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    digits = 0 if cell == 0 else max(0, 2 - int(np.floor(np.log10(abs(cell)))))
    return f"{cell:.{min(digits, 4)}f}"


SPREAD = ("median", "25 %", "75 %", "n")


def spread(values: Sequence[float] | Floats) -> list[Cell]:
    """The median, the quartiles and the number of repetitions."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return [float(middle), float(low), float(high), str(len(values))]


def percentiles(values: Floats) -> list[Cell]:
    return [float(value) for value in np.percentile(values, [50, 95, 99])]


def command(measure: Callable[[Effort], Table], *, one_core: bool = True) -> None:
    """The command ``python -m benchmarks.NAME``: measure, and print the table.

    Args:
        measure: function that measures with an effort, and returns the table.
        one_core: whether to restrict the process to one core.
    """
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options = parser.parse_args()
    if one_core:
        on_one_core()
    table = measure(Effort.QUICK if options.quick else Effort.FULL)
    if options.json:
        print(json.dumps(asdict(table)))
    else:
        table.print()


def table_of(data: dict[str, Any]) -> Table:
    """The table that was printed as JSON."""
    return Table(**data)
