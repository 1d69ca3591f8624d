"""``live-ser file``: classify recordings on this machine, each as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing

from live_ser.batch.jobs import Outcome, classify_files
from live_ser.batch.paths import expand_paths
from live_ser.batch.progress import FileProgress
from live_ser.batch.resume import RESUMABLE, unfinished
from live_ser.cli.claims import claim_files
from live_ser.cli.errors import UsageError
from live_ser.cli.file_options import Options
from live_ser.cli.job import kinds_written, prepared_job
from live_ser.cli.messages import say
from live_ser.cli.outcomes import OutcomeWriter
from live_ser.cli.outputs import plot_places, record_places
from live_ser.cli.progress import progress_bar
from live_ser.cli.recordings import LeftAlone, check_named, found
from live_ser.cli.speaker import taught_model
from live_ser.live.signals import ending_signals, interrupt_when
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.formats import Style, style_of
from live_ser.records.outputs import written
from live_ser.records.places import Places


def run(options: Options) -> int:
    """Classify recordings, and write the results; 1 if one of them failed."""
    options = options.resolved("table")
    options.check_one_speaker(profile=options.profile)
    if options.scheduler is not None:
        from live_ser.cli.commands.file_on_cluster import run as run_on_cluster

        return run_on_cluster(options)
    style = style_of(options.format, options.output, "table")
    model = taught_model(options.model, options.profile)
    others = LeftAlone()
    check_named(options.paths, options.sounds)
    expanded = expand_paths(options.paths, left_alone=others.add)
    paths = [*found(expanded, others, quiet=options.quiet), *options.sounds]
    records = record_places(options.output, paths, style)
    pictures = plot_places(options.plot, paths)
    at = options.analysis().at
    inputs = [str(model.path), *paths, *(at.files(paths) if at else [])]
    listed = "-" in options.paths
    claim_files(inputs, style, listed=listed, records=records, pictures=pictures)
    if options.resume:
        paths = _unfinished(options, paths, style, model)
    failures = _classify(options, model, paths, style, records=records, pictures=pictures)
    if not options.quiet:
        others.say()
    return int(failures > 0)


def _unfinished(options: Options, paths: list[str], style: Style, model: EmotionModel) -> list[str]:
    """The files without a verdict in the output to resume."""
    if options.output is None:
        raise UsageError("--resume without an output", "name it with -o")
    settings = options.analysis().description(model)
    left = unfinished(options.output, style, model.info.labels, paths, settings)
    if not options.quiet:
        say(f"{len(paths) - len(left)} of {len(paths)} files are already done")
    return left


def _classify(
    options: Options,
    model: EmotionModel,
    paths: list[str],
    style: Style,
    *,
    records: Places | None,
    pictures: Places | None,
) -> int:
    """Classify each recording, write the results, and return the number of failures."""
    labels, mode = model.info.labels, options.mode()
    output = written(records, style, labels, mode=mode, bom=options.bom)
    with (
        ending_signals() as ending,
        prepared_job(options, model, style) as job,
        output as writer,
    ):
        results = OutcomeWriter(
            job,
            writer,
            kinds_written(options, style),
            pictures,
            force=options.force,
            quiet=options.quiet,
        )
        bar = progress_bar(paths, style, output=options.output, quiet=options.quiet)
        look = interrupt_when(ending)
        outcomes = classify_files(
            job, paths, workers=options.workers, progress=bar.update, look=look
        )
        try:
            with closing(outcomes), bar:
                failures = _write(outcomes, results, bar, look)
        except KeyboardInterrupt as interrupt:
            if not options.quiet:
                resumable = bool(options.output) and style in RESUMABLE
                interrupt.add_note(results.progress(len(paths), resumable=resumable))
            raise
    if not options.quiet:
        _say_summary(options, results)
    return failures


def _write(
    outcomes: Iterable[Outcome],
    results: OutcomeWriter,
    bar: FileProgress,
    look: Callable[[], None],
) -> int:
    """Write outcomes as they come, and return the number of failures."""
    failures = 0
    for outcome in outcomes:
        bar.done(outcome.seconds)
        failures += results.write(outcome)
        look()
    return failures


def _say_summary(options: Options, results: OutcomeWriter) -> None:
    """Print what was written and drawn, and a warning if there is one."""
    if options.output:
        say(results.summary(options.output))
    if options.plot and results.counts["drawn"]:
        say(results.picture_summary(options.plot))
    if results.warning:
        say(results.warning)
