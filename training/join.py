"""``python -m training.join``: the pretrained encoder, alone or beside a trained network.

The head is fitted on the encoder by itself. The network is not changed; its logits are added to the
head's. The sum is calibrated on corpora left out, by heads and networks trained without them.
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
        "network",
        type=Path,
        nargs="?",
        help="exported file of the network (default: none, the encoder alone)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    command.add_calibration_runs(parser)
    parser.add_argument(
        "--corpora",
        metavar="NAME,...",
        help="corpora that the head learns from; own=PATH adds your own recordings, a folder with "
        "a folder for each emotion, or a CSV file (default: the network's corpora)",
    )
    parser.add_argument(
        "--extra-corpora",
        "--beside",
        metavar="NAME,...",
        help="further corpora that the head learns from, which affect neither the statistics of a "
        "typical voice nor the calibration",
    )
    command.add_speaker_pattern(parser)
    command.add_cache(parser)
    head = parser.add_argument_group("head", "settings of training.networks.head.HeadConfig")
    for name, value in asdict(HeadConfig()).items():
        head.add_argument(f"--{name}", type=float, default=value, help=f"(default: {value:g})")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Join a network with the encoder."""
    given = _arguments(words)
    try:
        config = HeadConfig(**{name: getattr(given, name) for name in asdict(HeadConfig())})
    except ValueError as error:
        raise InvalidArgument(f"the head cannot be fitted so: {error}") from error
    runs = [Run.open(folder) for folder in given.calibration_run]
    names, own = parse_corpora(given.corpora or "", given.speaker_pattern)
    extra, more = parse_corpora(given.extra_corpora or "", given.speaker_pattern)
    # If the network was trained on own recordings, the runs know their paths.
    own = (*own, *more, *(one for run in runs for one in run.splits.own))
    network = [given.network] if given.network else []
    command.keep_apart(given.output, given.data, *network, *(corpus.path for corpus in own))
    # After the arguments: what follows loads TensorFlow.
    with command.loading_quietly():
        from training.joined import Joined
        from training.joined_file import export_joined

    joined = Joined(
        given.network,
        config,
        given.data,
        given.cache,
        corpora=names or None,
        extra=extra,
        own=own,
    )
    info = export_joined(joined, given.output, runs)
    print(f"{given.output}: {info.name}, {len(info.labels)} labels", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(command.run(main))
