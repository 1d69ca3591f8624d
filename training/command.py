"""Shared parts of the commands ``python -m training...``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.records.claims import Claims


def run(main: Callable[[], object]) -> int:
    """Run a command, and print its error as one line, with a hint in a second one.

    Args:
        main: the command.

    Returns:
        The exit code: 0; 1 after an error, 2 after wrong usage, 130 after Ctrl-C.
    """
    try:
        main()
    except LiveSerError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  try: {error.hint}", file=sys.stderr)
        return 2 if isinstance(error, InvalidArgument) else 1
    except OSError as error:
        print(f"error: {error.filename or error}: {error.strerror or ''}", file=sys.stderr)
        print("  try: another path, or make room", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


@contextmanager
def loading_quietly() -> Iterator[None]:
    """Hide what libraries write to standard error while they are imported.

    TensorFlow reports there how it was compiled, on every start and before it reads its settings.
    If the import fails, the text is shown.
    """
    sys.stderr.flush()
    own = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            hidden.seek(0)
            os.write(own, hidden.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(own, 2)
            os.close(own)


def keep_apart(output: Path, *inputs: Path) -> None:
    """Refuse an output inside of a folder of inputs.

    Args:
        output: file or folder to write.
        inputs: folders of corpora and runs, and files such as weights.

    Raises:
        LiveSerError: the output is one of the inputs, or inside of one.
    """
    claims = Claims()
    for path in inputs:
        (claims.read_folder if path.is_dir() else claims.read)(path)
    claims.write(output)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--data``, the folder of the corpora."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("LIVE_SER_DATA") or "data"),
        metavar="DIR",
        help="folder with a folder per corpus (default: $LIVE_SER_DATA, or data)",
    )


def add_cache(parser: argparse._ActionsContainer) -> None:
    """Add ``--cache``, the folder of cached features."""
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(".cache/features"),
        metavar="FOLDER",
        help="folder of cached features (default: %(default)s)",
    )


def add_calibration_runs(parser: argparse.ArgumentParser) -> None:
    """Add ``--calibration-run``, a run by which a model is calibrated; may be given repeatedly."""
    parser.add_argument(
        "--calibration-run",
        "--heard-by",
        action="append",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="run that left speakers or corpora out, for calibration and figures; may be given "
        "several times for their means",
    )


def add_speaker_pattern(parser: argparse.ArgumentParser) -> None:
    """Add ``--speaker-pattern``, for the user's own recordings."""
    parser.add_argument(
        "--speaker-pattern",
        default="",
        metavar="REGEX",
        help="finds the speaker at the start of the file names of own=PATH, such as '[^_]+' "
        "(default: the folder within the emotion's)",
    )
