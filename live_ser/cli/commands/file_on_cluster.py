"""``live-ser file --scheduler``: classify recordings on a Dask cluster, into Parquet files."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING

from live_ser.batch.paths import key_of
from live_ser.cli.errors import UsageError, say_failure
from live_ser.cli.file_options import Options
from live_ser.cli.messages import say, say_notes
from live_ser.cli.progress import progress_bar
from live_ser.cli.recordings import LeftAlone, check_named
from live_ser.cli.speaker import taught_model
from live_ser.errors import LiveSerError
from live_ser.extras import needed

if TYPE_CHECKING:
    from live_ser.batch.dask_cluster import Cluster


def run(options: Options) -> int:
    """Classify recordings on the cluster; 1 if one of them failed."""
    _check(options)
    assert options.scheduler is not None
    assert options.output is not None
    if not options.verbose:
        logging.disable()  # Dask logs many lines about what is one error here
    from live_ser.batch.dask_cluster import Cluster
    from live_ser.batch.storage import expand_sources

    model = taught_model(options.model, options.profile)
    analysis = options.analysis()
    settings = analysis.description(model)  # invalid settings are refused here, not by a worker
    others = LeftAlone()
    check_named(options.paths, options.sounds)
    sources = expand_sources(options.paths, left_alone=others.add)
    sources += expand_sources(options.sounds)
    cluster = Cluster(options.scheduler, model, options.output, analysis, settings)
    with closing(cluster):
        sources = _unfinished(options, cluster, sources)
        failures = _classify(options, cluster, sources)
    if not options.quiet:
        others.say()
    return int(failures > 0)


def _check(options: Options) -> None:
    """Refuse options that a cluster does not support, and missing packages."""
    if options.output is None or options.format not in (None, "parquet"):
        raise UsageError("a cluster writes Parquet files into a folder", "name it: -o FOLDER")
    if options.plot is not None or options.workers is not None:
        raise UsageError("--plot and --workers are for this machine, not for a cluster")
    for package in ("distributed", "fsspec", "pyarrow.parquet"):
        needed(package, "cluster")


def _unfinished(options: Options, cluster: Cluster, sources: list[str]) -> list[str]:
    """The recordings without a verdict in the folder."""
    done = cluster.finished()
    if done and not options.resume:
        raise LiveSerError(
            f"{options.output} holds verdicts already", "take another folder, or --resume"
        )
    left = [source for source in sources if key_of(source) not in done]
    if options.resume and not options.quiet:
        say(f"{len(sources) - len(left)} of {len(sources)} files are already done")
    return left


def _classify(options: Options, cluster: Cluster, sources: list[str]) -> int:
    """Classify each recording, and return the number of failures."""
    failures = 0
    bar = progress_bar(sources, "parquet", output=options.output, quiet=options.quiet)
    with bar, closing(cluster.classify(sources)) as parts:
        for part in parts:
            for _ in range(part.files):
                bar.done(part.seconds / part.files)
            say_notes(part.notes, quiet=options.quiet)
            for error in part.errors:
                failures += 1
                say_failure(error)
    return failures
