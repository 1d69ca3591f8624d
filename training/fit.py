"""``python -m training.fit``: train the CNN+LSTM and export it."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import command
from training.corpora.own import parse_corpora
from training.corpora.readers import READERS
from training.recipes.presets import PRESETS

if TYPE_CHECKING:
    from training.recipes.run import Run


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.fit", description=__doc__)
    command.add_data(parser)
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="live_ser", help="what to train"
    )
    parser.add_argument(
        "--corpora",
        metavar="NAME,...",
        help=f"to train on, of {', '.join(READERS)}, or recordings of your own: own=PATH, a "
        "folder with a folder for each emotion, or a CSV file (default: the preset's)",
    )
    command.add_speaker_pattern(parser)
    parser.add_argument(
        "--split",
        help="all, held-out, or a split of a protocol: luna/1, random/3, corpora/emodb, article; "
        "corpora/emodb+held-out keeps speakers of the other corpora back too "
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
    parser.add_argument("--song", action="store_true", help="sung clips of RAVDESS too")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a setting of the preset, such as network.lstm=128; may be given again",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="of the run")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with a run")
    parser.add_argument("--cache", type=Path, default=Path(".cache/features"), metavar="FOLDER")
    parser.add_argument("--no-export", action="store_true", help="leave out the ONNX file")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Train, or go on training."""
    given = _arguments(words)
    run = _run(given)
    print(f"run: {run.folder}{_progress(run)}", file=sys.stderr)
    # After all that was said was found right: TensorFlow takes seconds to load.
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


def _progress(run: Run) -> str:
    """Where a run stands that goes on."""
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
    """The run that goes on, or a new one."""
    from training.recipes.begin import begin
    from training.recipes.run import Run

    if given.resume:
        return Run.open(given.resume)
    preset = PRESETS[given.preset]
    names, own = parse_corpora(given.corpora or "", given.speaker_pattern)
    changes: dict[str, Any] = {"corpora": names} if names else {}
    config = preset.config(**changes)
    epochs = [] if given.epochs is None else [f"epochs={given.epochs}"]
    for setting in (f"seed={given.seed}", *epochs, *given.set):
        config = config.with_setting(setting)
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
    """Print the metrics of the run on the clips that did not train."""
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
