"""``python -m training.fit``: train the CNN+LSTM and export it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from live_ser.errors import LiveSerError
from training import command
from training.data.packed import packed_runs
from training.recipes import options
from training.recipes.presets import PRESETS

if TYPE_CHECKING:
    from training.recipes.run import Run


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.fit", description=__doc__)
    command.add_data(parser)
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="live_ser", help="what to train"
    )
    options.add_settings(parser)
    parser.add_argument(
        "--split",
        help="all, held-out, or a split of a protocol: luna/1, random/3, corpora/emodb, article; "
        "corpora/emodb+held-out holds out speakers of the other corpora, too "
        "(default: the preset's)",
    )
    parser.add_argument(
        "--teacher",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="a finished run of the same split that teaches this one; for the split all, an "
        "exported file, too; may be given again",
    )
    parser.add_argument("--song", action="store_true", help="use the sung clips of RAVDESS, too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="folder of the new run")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="continue a run")
    parser.add_argument(
        "--packed",
        type=Path,
        metavar="FOLDER",
        help="train the runs that python -m training.pack put there, all at once, on JAX",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=max(1, (os.cpu_count() or 1) - 1),
        metavar="N",
        help="processes that draw batches for --packed (default: all cores but one)",
    )
    command.add_cache(parser)
    parser.add_argument("--no-export", action="store_true", help="leave out the ONNX file")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Train a new run, or continue one."""
    given = _arguments(words)
    if given.packed:
        _fit_packed(given)
        return
    run = _run(given)
    print(f"run: {run.folder}{_progress(run)}", file=sys.stderr)
    # Once the arguments are known to be valid: TensorFlow takes seconds to load.
    with command.loading_quietly():
        from training.trainer import fit

    try:
        fit(run, given.data, given.cache)
    except KeyboardInterrupt:
        print(f"stopped; go on with --resume {run.folder}", file=sys.stderr)
        raise
    model = run.folder / f"{run.config.preset}.onnx"
    if not given.no_export:
        from training.recipes.export import export_run

        export_run(run, model)
    _report(run)
    if model.is_file():
        print(f"model: {model}\nuse it: live-ser listen --model {shlex.quote(str(model))}")


def _fit_packed(given: argparse.Namespace) -> None:
    """Train all runs of a packed folder, on JAX."""
    from training.recipes.run import Run

    os.environ.setdefault("KERAS_BACKEND", "jax")
    if find_spec("jax") is None or os.environ["KERAS_BACKEND"] != "jax":
        raise LiveSerError(
            "packed runs are trained on JAX",
            "pip install jax (for a GPU: 'jax[cuda13]'), and leave KERAS_BACKEND unset",
        )
    output = given.output or Path("runs")
    command.keep_apart(output, given.packed)
    runs = [Run.unpack(folder, output) for folder in packed_runs(given.packed)]
    with command.loading_quietly():
        from training.recipes.side_by_side import fit_side_by_side
    fit_side_by_side(runs, given.packed, given.workers)
    print(
        f"{len(runs)} runs are trained in {output}; their figures and files come from "
        f"python -m training.fit --resume {output}/NAME where the corpora are",
        file=sys.stderr,
    )


def _progress(run: Run) -> str:
    """The progress of a run that is continued, for its first line; empty for a new one."""
    if run.finished:
        return ": it is trained to its end"
    rows = run.history()
    if not rows:
        return ""
    looks = [row["test_uar"] for row in rows if "test_uar" in row]
    uar = f", UAR on the test clips {looks[-1]:.1%}" if looks else ""
    done, epochs = f"{rows[-1]['epoch']:.0f}", run.config.epochs
    return f": epoch {done} of {epochs} is done, loss {rows[-1]['loss']:.3f}{uar}"


def _run(given: argparse.Namespace) -> Run:
    """The run to continue, or a new one."""
    from training.recipes.begin import begin
    from training.recipes.run import Run

    if given.resume:
        return Run.open(given.resume)
    preset = PRESETS[given.preset]
    config, own = options.config_of(given, preset.config)
    config = config.with_setting(f"seed={given.seed}")
    folder = given.output or Path("runs", f"{given.preset}-{datetime.now():%Y%m%d-%H%M%S}")
    command.keep_apart(folder, given.data, *(one.path for one in own), *given.teacher)
    return begin(
        folder,
        config,
        given.data,
        given.split or preset.split,
        song=given.song,
        teachers=given.teacher,
        own=own,
    )


def _report(run: Run) -> None:
    """Print the metrics of the run on the test clips."""
    held_out = run.metrics.held_out
    if held_out is None:
        return
    print(
        f"{run.splits.name}: UAR {held_out.uar:.1%}, accuracy {held_out.accuracy:.1%} "
        f"({held_out.weights})"
    )
    best = held_out.best_epoch_on_test
    print(
        "best look at the test clips while training, chosen on them and so no result: "
        f"accuracy {best['test_accuracy']:.1%} at epoch {best['epoch']:.0f}"
    )


if __name__ == "__main__":
    sys.exit(command.run(main))
