"""The figures as a page and as a plot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.table import Cell, Table, shown, table_of

BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of the figures -->"


def fill(page: str, figures: Mapping[str, Any]) -> str:
    """Replace the tables between the two lines that mark their place."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    tables = [table_of(data).markdown() for data in figures["tables"].values()]
    parts = [_setting(figures), "![One hop and its rivals](performance.png)", *tables]
    return f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}"


def plot(tables: Mapping[str, Table], path: Path) -> None:
    """Plot one hop by stage, and compared with alternatives."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    shown_here = [name for name in ("hop", "rivals") if name in tables]
    if not shown_here:
        return
    figure, axes = plt.subplots(len(shown_here), 1, figsize=(8, 3 * len(shown_here)), squeeze=False)
    for name, ax in zip(shown_here, axes[:, 0], strict=True):
        table = tables[name]
        names = [re.sub(r"\W*\*\*\W*", "", str(row[0])) for row in table.rows]
        middle = [_number(row[1]) for row in table.rows]
        # The 95th percentile of a stage, the upper quarter of a rival.
        high = [_number(row[2 if name == "hop" else 3]) for row in table.rows]
        above = [max(0.0, h - m) for h, m in zip(high, middle, strict=True)]
        ax.barh(names, middle, xerr=[[0.0] * len(above), above], color="#4c78a8", height=0.6)
        for place, value in enumerate(middle):
            ax.annotate(f" {shown(value)}", (value, place), va="bottom", fontsize=7)
        ax.set_xscale("log")
        ax.invert_yaxis()
        ax.set_title(table.title, fontsize=10)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _setting(figures: Mapping[str, Any]) -> str:
    machine = dict(figures["machine"])
    where = (
        f"{machine.pop('processor')}, {machine.pop('cores')} cores, "
        f"{machine.pop('memory_gib')} GiB; {machine.pop('system')}"
    )
    load = machine.pop("load_before")
    versions = ", ".join(f"{name} {version}" for name, version in machine.items() if version)
    quick = " In quick mode: few repetitions." if figures["quick"] else ""
    return (
        f"Measured {figures['measured'][:10]} in {figures['seconds']} s on {where}; load before "
        f"it {load}. {versions}.{quick}"
    )


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else float("nan")
