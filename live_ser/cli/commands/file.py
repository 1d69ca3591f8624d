"""``live-ser file``: recordings, each judged as a whole, on this machine."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from contextlib import closing

from live_ser.batch.jobs import judge_files
from live_ser.batch.paths import files_meant
from live_ser.batch.resume import unfinished
from live_ser.cli.claims import claim_files
from live_ser.cli.errors import UsageError
from live_ser.cli.job import job_asked_for, options_in_words
from live_ser.cli.messages import say
from live_ser.cli.outcomes import OutcomeWriter
from live_ser.cli.outputs import mode_asked_for, picture_places, record_places, use_standard_output
from live_ser.cli.progress import progress_bar
from live_ser.cli.recordings import LeftAlone, named_sounds
from live_ser.cli.speaker import network_asked_for
from live_ser.live.signals import Ending, ending_signals
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.formats import Style, style_of
from live_ser.records.outputs import written
from live_ser.records.places import Places


def run(arguments: Namespace) -> int:
    """Judge the recordings and write what comes of each; 1 if one of them failed."""
    use_standard_output(arguments, "table")
    if arguments.scheduler is not None:
        from live_ser.cli.commands.file_on_cluster import run as run_on_cluster

        return run_on_cluster(arguments)
    style = style_of(arguments.format, arguments.output, "table")
    model = network_asked_for(arguments)
    others = LeftAlone()
    paths = [*files_meant(arguments.paths, left_alone=others.add), *named_sounds(arguments)]
    records = record_places(arguments, paths, style)
    pictures = picture_places(arguments, paths)
    inputs = [str(model.path), *paths]
    claim_files(arguments, inputs, style, records=records, pictures=pictures)
    if arguments.resume:
        paths = _unfinished(arguments, paths, style, model)
    failures = _judge(arguments, model, paths, style, records=records, pictures=pictures)
    if not arguments.quiet:
        others.say()
    return int(failures > 0)


def _unfinished(
    arguments: Namespace, paths: list[str], style: Style, model: EmotionModel
) -> list[str]:
    """The files that an output which is gone on with holds no verdict on."""
    if arguments.output is None:
        raise UsageError("--resume without an output", "name it with -o")
    options = options_in_words(arguments, model)
    left = unfinished(arguments.output, style, model.info.labels, paths, options)
    if not arguments.quiet:
        say(f"{len(paths) - len(left)} of {len(paths)} files are judged already")
    return left


def _judge(
    arguments: Namespace,
    model: EmotionModel,
    paths: list[str],
    style: Style,
    *,
    records: Places | None,
    pictures: Places | None,
) -> int:
    """Judge each recording and write what comes of it; how much failed."""
    output = written(
        records,
        style,
        model.info.labels,
        mode=mode_asked_for(arguments),
        bom=arguments.bom,
    )
    failures = 0
    with (
        ending_signals() as ending,
        job_asked_for(arguments, model, style) as job,
        output as writer,
    ):
        results = OutcomeWriter(arguments, style, job, writer, pictures)
        bar = progress_bar(arguments, paths, style)
        look = _look_for(ending)
        outcomes = judge_files(job, paths, workers=arguments.workers, told=bar.told, look=look)
        try:
            with closing(outcomes), bar:
                for outcome in outcomes:
                    bar.done(outcome.seconds)
                    failures += results.write(outcome)
                    look()
        except KeyboardInterrupt as interrupt:
            done = results.counts["written"] + results.counts["failed"]
            if not arguments.quiet:
                interrupt.add_note(_how_to_go_on(arguments, style, done, len(paths)))
            raise
    if arguments.output and not arguments.quiet:
        say(results.summary(arguments.output))
    return failures


def _how_to_go_on(arguments: Namespace, style: Style, done: int, total: int) -> str:
    """How much is done when it is interrupted, and what does the rest."""
    state = f"{done} of {total} recordings are done"
    if arguments.output and style in ("jsonl", "csv", "tsv"):
        return f"{state}; the same command with --resume does the rest"
    return state


def _look_for(ending: Ending) -> Callable[[], None]:
    """What raises ``KeyboardInterrupt`` once the process was asked to end."""

    def look() -> None:
        if ending():
            raise KeyboardInterrupt

    return look
