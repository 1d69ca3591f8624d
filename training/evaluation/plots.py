"""Plots of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import ArrayLike

from training.evaluation.figures import ConditionSummary, ReliabilityBin

mpl.use("Agg")
from matplotlib import pyplot as plt


def learning_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Plot the losses and metrics of each epoch."""
    names = [name for name in dict.fromkeys(chain(*history)) if name != "epoch"]
    losses = [name for name in names if "loss" in name]
    figures = [name for name in names if "loss" not in name]
    groups = [group for group in (losses, figures) if group]
    figure, axes = plt.subplots(1, len(groups), figsize=(6 * len(groups), 4), squeeze=False)
    for axis, group in zip(axes[0], groups, strict=True):
        for name in group:
            known = [(row["epoch"], row[name]) for row in history if name in row]
            axis.plot(*zip(*known, strict=True), marker=".", label=name.replace("_", " "))
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
        axis.legend()
    _save(figure, path)


def confusion(
    counts: ArrayLike,
    labels: Sequence[str],
    path: Path,
    title: str = "",
    columns: Sequence[str] | None = None,
) -> None:
    """Plot a confusion matrix, in shares of each row.

    Args:
        counts: ``[target, prediction]``.
        labels: labels of the rows.
        path: path of the plot.
        title: title of the plot.
        columns: labels of the columns; None for those of the rows.
    """
    columns = labels if columns is None else columns
    table = np.asarray(counts, np.float64)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, axis = plt.subplots(figsize=(6, 5.5))
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.5 else "black"
        axis.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=8)
    axis.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("predicted")
    axis.set_ylabel("acted")
    axis.set_title(title)
    _save(figure, path)


def reliability(rows: Sequence[ReliabilityBin], path: Path, title: str = "") -> None:
    """Plot accuracy by confidence, and below it the number of clips.

    Args:
        rows: bins from ``metrics.reliability``.
        path: path of the plot.
        title: title of the plot.
    """
    confidence = [row.confidence for row in rows]
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(5, 6), sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color="grey", linestyle=":", label="calibrated")
    upper.plot(confidence, [row.accuracy for row in rows], marker="o", label="measured")
    upper.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), title=title)
    upper.grid(alpha=0.3)
    upper.legend()
    lower.bar(confidence, [row.clips for row in rows], width=0.03)
    lower.set(xlabel="confidence", ylabel="clips")
    _save(figure, path)


def curve(rows: Sequence[ConditionSummary], over: str, path: Path, title: str = "") -> None:
    """Plot the UAR under each condition.

    Args:
        rows: figures under each condition.
        over: label of the x axis.
        path: path of the plot.
        title: title of the plot.
    """
    figure, axis = plt.subplots(figsize=(6, 4))
    places = range(len(rows))
    axis.plot(places, [row.uar for row in rows], marker="o", label="emotion")
    axis.plot(places, [row.activation_uar for row in rows], marker="o", label="activation")
    axis.set_xticks(places, [row.condition for row in rows])
    axis.set(xlabel=over, ylabel="UAR", ylim=(0, 1), title=title)
    axis.grid(alpha=0.3)
    axis.legend()
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
