"""``python -m training.join``: the pretrained encoder, alone or next to a trained network.

The head on the encoder is fitted by itself; the network stays as it is, and their logits are added.
The sum is calibrated on corpora left out, by heads and networks that were trained without them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from live_ser.errors import InvalidArgument
from training import command
from training.corpora.own import parse_corpora
from training.networks.head import HeadConfig
from training.recipes.run import Run


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.join", description=__doc__)
    command.add_data(parser)
    parser.add_argument(
        "network", type=Path, nargs="?", help="exported file; without it, the encoder alone"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    command.add_heard_by(parser)
    parser.add_argument(
        "--corpora",
        metavar="NAME,...",
        help="that the head learns from, recordings of your own among them: own=PATH, a folder "
        "with a folder for each emotion, or a CSV file (default: the network's)",
    )
    parser.add_argument(
        "--beside",
        metavar="NAME,...",
        help="further ones that it learns from, which do not say what a typical voice is",
    )
    command.add_speaker_pattern(parser)
    parser.add_argument("--cache", type=Path, default=Path(".cache/features"), metavar="FOLDER")
    for name, value in asdict(HeadConfig()).items():
        parser.add_argument(f"--{name}", type=float, default=value, help=f"(default: {value:g})")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Join a network with the encoder."""
    given = _arguments(words)
    try:
        config = HeadConfig(**{name: getattr(given, name) for name in asdict(HeadConfig())})
    except ValueError as error:
        raise InvalidArgument(f"the head cannot be fitted so: {error}") from error
    runs = [Run.open(folder) for folder in given.heard_by]
    names, own = parse_corpora(given.corpora or "", given.speaker_pattern)
    beside, more = parse_corpora(given.beside or "", given.speaker_pattern)
    # Where the network learned from such recordings, the runs know where these are.
    own = (*own, *more, *(one for run in runs for one in run.splits.own))
    network = [given.network] if given.network else []
    command.keep_apart(given.output, given.data, *network, *(corpus.path for corpus in own))
    # After the arguments: what follows loads TensorFlow.
    with command.loading_quietly():
        from training.joined import Joined

    joined = Joined(
        given.network,
        config,
        given.data,
        given.cache,
        corpora=names or None,
        beside=beside,
        own=own,
    )
    info = joined.export(given.output, runs)
    print(f"{given.output}: {info.name}, {len(info.labels)} labels", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(command.run(main))
