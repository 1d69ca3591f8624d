"""Pictures of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import ArrayLike

mpl.use("Agg")
from matplotlib import pyplot as plt


def learning_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Losses and figures over epochs."""
    names = [name for name in history[0] if name != "epoch"]
    losses = [name for name in names if "loss" in name]
    figures = [name for name in names if "loss" not in name]
    groups = [group for group in (losses, figures) if group]
    epochs = [row["epoch"] for row in history]
    figure, axes = plt.subplots(1, len(groups), figsize=(6 * len(groups), 4), squeeze=False)
    for axis, group in zip(axes[0], groups, strict=True):
        for name in group:
            axis.plot(epochs, [row[name] for row in history], label=name.replace("_", " "))
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
        axis.legend()
    _save(figure, path)


def confusion(counts: ArrayLike, labels: Sequence[str], path: Path, title: str = "") -> None:
    """A confusion matrix, in shares of each row."""
    table = np.asarray(counts, np.float64)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, axis = plt.subplots(figsize=(6, 5.5))
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.5 else "black"
        axis.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=8)
    axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("said")
    axis.set_ylabel("acted")
    axis.set_title(title)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
