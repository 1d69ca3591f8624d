"""``live-ser file --scheduler``: recordings, judged by a Dask cluster into a folder of Parquet."""

from __future__ import annotations

import logging
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING, Any

from live_ser.batch.paths import key_of
from live_ser.cli.errors import UsageError, say_failure
from live_ser.cli.job import options_in_words
from live_ser.cli.messages import say, say_notes
from live_ser.cli.progress import progress_bar
from live_ser.cli.recordings import LeftAlone, named_sounds, reading_asked_for
from live_ser.cli.speaker import network_asked_for
from live_ser.errors import LiveSerError
from live_ser.extras import needed
from live_ser.inference.settings import Settings
from live_ser.model.onnx_model import EmotionModel

if TYPE_CHECKING:
    from live_ser.batch.dask_cluster import Cluster


def run(arguments: Namespace) -> int:
    """Have the cluster judge the recordings; 1 if one of them failed."""
    _check(arguments)
    if not arguments.verbose:
        logging.disable()  # Dask's log says in many lines what is said in one
    from live_ser.batch.dask_cluster import Cluster, sources_meant

    model = network_asked_for(arguments)
    options = _options(arguments, model)
    others = LeftAlone()
    sources = sources_meant(arguments.paths, left_alone=others.add)
    sources += sources_meant(named_sounds(arguments))
    cluster = Cluster(arguments.scheduler, model, arguments.output, **options)
    with closing(cluster):
        sources = _unfinished(arguments, cluster, sources)
        failures = _judge(arguments, cluster, sources)
    if not arguments.quiet:
        others.say()
    return int(failures > 0)


def _check(arguments: Namespace) -> None:
    """Refuse what a cluster cannot do, or what it lacks."""
    if arguments.output is None or arguments.format not in (None, "parquet"):
        raise UsageError("a cluster writes Parquet files into a folder", "name it: -o FOLDER")
    if arguments.plot is not None or arguments.workers is not None:
        raise UsageError("--plot and --workers are for this machine, not for a cluster")
    for package in ("distributed", "fsspec", "pyarrow.parquet"):
        needed(package, "cluster")


def _options(arguments: Namespace, model: EmotionModel) -> dict[str, Any]:
    """What the cluster is to do with each recording."""
    # What cannot be is said here, not by a worker.
    Settings.checked(model.info, hop=arguments.hop, smoothing=arguments.smoothing)
    names = ("hop", "smoothing", "timeline", "segments")
    options = {name: getattr(arguments, name) for name in names}
    options["judged_with"] = options_in_words(arguments, model)
    options["reading"] = reading_asked_for(arguments)
    return options


def _unfinished(arguments: Namespace, cluster: Cluster, sources: list[str]) -> list[str]:
    """The recordings that the folder holds no verdict on."""
    done = cluster.finished()
    if done and not arguments.resume:
        raise LiveSerError(
            f"{arguments.output} holds verdicts already", "take another folder, or --resume"
        )
    left = [source for source in sources if key_of(source) not in done]
    if arguments.resume and not arguments.quiet:
        say(f"{len(sources) - len(left)} of {len(sources)} files are judged already")
    return left


def _judge(arguments: Namespace, cluster: Cluster, sources: list[str]) -> int:
    """Have each recording judged; how many failed."""
    failures = 0
    bar = progress_bar(arguments, sources, "parquet")
    with bar, closing(cluster.judge(sources)) as parts:
        for part in parts:
            for _ in range(part.files):
                bar.done(part.seconds / part.files)
            say_notes(part.notes, quiet=arguments.quiet)
            for error in part.errors:
                failures += 1
                say_failure(error)
    return failures
