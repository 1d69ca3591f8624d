"""Options of the commands that start runs."""

from __future__ import annotations

import argparse
from typing import Any

from training import command
from training.corpora.own import OwnCorpus, parse_corpora
from training.corpora.published import READERS
from training.recipes.config import RunConfig


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options for the settings of a run: corpora, epochs, and any field."""
    parser.add_argument(
        "--corpora",
        metavar="NAME,...",
        help=f"corpora to train on, some of {', '.join(READERS)}, or recordings of your own: "
        "own=PATH, a folder with a folder for each emotion, or a CSV file (default: the preset's)",
    )
    command.add_speaker_pattern(parser)
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a setting of the preset, such as network.lstm=128; may be given again",
    )


def config_of(
    given: argparse.Namespace, preset: type[RunConfig]
) -> tuple[RunConfig, tuple[OwnCorpus, ...]]:
    """The settings from the options of :func:`add_settings`.

    Args:
        given: parsed options.
        preset: class of the preset's settings.

    Returns:
        The settings, and the user's own corpora among theirs.

    Raises:
        LiveSerError: there is no such corpus or setting.
    """
    names, own = parse_corpora(given.corpora or "", given.speaker_pattern)
    changes: dict[str, Any] = {"corpora": names} if names else {}
    config = preset(**changes)
    epochs = [] if given.epochs is None else [f"epochs={given.epochs}"]
    for setting in (*epochs, *given.set):
        config = config.with_setting(setting)
    return config, own
