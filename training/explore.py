"""``python -m training.explore``: plots of a corpus."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.command import add_data, keep_apart, run
from training.corpora.catalogue import read_corpus
from training.corpora.emotions import EMOTIONS
from training.corpora.published import READERS


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.explore", description="Draw a corpus: counts, waveforms, spectra."
    )
    parser.add_argument(
        "--corpora",
        nargs="+",
        default=["ravdess"],
        choices=READERS,
        metavar="NAME",
        help=f"to count, of {', '.join(READERS)}; the first is drawn (default: ravdess)",
    )
    parser.add_argument(
        "--emotions",
        nargs=2,
        default=("disgust", "surprised"),
        choices=EMOTIONS,
        metavar="EMOTION",
        help=f"two to put side by side, of {', '.join(EMOTIONS)} (default: disgust surprised)",
    )
    parser.add_argument("--speaker", metavar="NAME", help="whose clips are drawn")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("runs/explore"), metavar="DIR", help="PNG files"
    )
    add_data(parser)
    options = parser.parse_args(arguments)
    return run(lambda: _draw(options))


def _draw(options: argparse.Namespace) -> None:
    keep_apart(options.output, options.data)
    corpora = [read_corpus(name, options.data, labels=()) for name in options.corpora]
    # After the arguments: what follows loads Matplotlib and librosa.
    from training.data.plots import explore

    pair = (options.emotions[0], options.emotions[1])
    for path in explore(corpora, options.output, pair=pair, speaker=options.speaker):
        print(path)


if __name__ == "__main__":
    raise SystemExit(main())
