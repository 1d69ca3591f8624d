"""``python -m training.export``: export a run as an ONNX file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training import command


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("models/live_ser.onnx"), metavar="FILE"
    )
    command.add_calibration_runs(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a setting that the weights don't depend on, such as gate.threshold=0.4",
    )
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Export a run."""
    given = _arguments(words)
    # After the arguments: what follows loads TensorFlow.
    from training.recipes.run import Run

    calibration_runs = [Run.open(folder) for folder in given.calibration_run]
    run = Run.open(given.run)
    # An export may replace the run's own model, and no other file of a run.
    files = [path for one in (run, *calibration_runs) for path in one.folder.iterdir()]
    command.keep_apart(
        given.output, *(path for path in files if path.suffix != ".onnx"), *run.teachers
    )
    with command.loading_quietly():
        import keras  # noqa: F401

        from training.recipes.export import export_run

    info = export_run(run, given.output, calibration_runs, given.set)
    print(f"{given.output}: {info.name}, {len(info.labels)} labels", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(command.run(main))
