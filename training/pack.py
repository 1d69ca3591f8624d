"""``python -m training.pack``: pack the training data of runs into one small folder.

``python -m training.fit --packed`` trains the runs from it on any machine with a GPU, without the
corpora. Packing into an existing folder adds runs to it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from live_ser.errors import InvalidArgument
from training import command
from training.corpora.catalogue import Catalogue
from training.data.packed import packed_ids, write_packed
from training.recipes import options
from training.recipes.begin import begin, read
from training.recipes.config import Config


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=__doc__)
    command.add_data(parser)
    options.add_settings(parser)
    parser.add_argument(
        "--split",
        action="append",
        default=[],
        help="as for training.fit; may be given again, for runs of each (default: held-out)",
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="runs of each split")
    parser.add_argument("--prefix", default="", metavar="NAME", help="start of the runs' names")
    parser.add_argument(
        "--step", type=float, default=1.0, metavar="DB", help="decibels per byte step (default: 1)"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    command.add_cache(parser)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Start runs, and pack the clips that they are trained on."""
    given = _arguments(words)
    if not 0.5 <= given.step <= 4 or given.seeds < 1:
        raise InvalidArgument("a byte is 0.5 to 4 dB, and each split has one seed at least")
    config, own = options.config_of(given, Config)
    command.keep_apart(given.output, given.data, *(one.path for one in own))
    clips = read(config, Catalogue(given.data, own), song=False)
    ids = packed_ids(given.output)
    if ids is not None and set(ids) != {clip.id for clip in clips}:
        raise InvalidArgument(f"{given.output} holds other clips: choose another folder")
    for split in given.split or ["held-out"]:
        for seed in range(given.seeds):
            name = f"{given.prefix}{split.replace('/', '-')}-{seed}"
            seeded = config.with_setting(f"seed={seed}")
            begin(given.output / "runs" / name, seeded, given.data, split, own=own)
    if ids is None:
        # Once the arguments are known to be valid: Keras takes seconds to load.
        with command.loading_quietly():
            from training.recipes.presets import recipe
        utterances = recipe(config).load(clips, data=given.data, cache=given.cache)
        write_packed(given.output, utterances, given.step)
    size = sum(path.stat().st_size for path in given.output.rglob("*") if path.is_file())
    print(f"{given.output}: {len(clips)} clips, {size / 2**20:.1f} MiB", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(command.run(main))
