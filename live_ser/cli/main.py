"""The command line: commands, options, and errors in one line each.

Commands import what they use when they use it: ``live-ser --help`` waits for nothing.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from live_ser.cli.parser import parser
from live_ser.errors import LiveSerError
from live_ser.live.deadlines import stuck, within
from live_ser.live.signals import ending_signals, gentle_interrupts
from live_ser.records.claims import Claims
from live_ser.records.formats import (
    ANNOTATIONS,
    ENDINGS,
    GROWING,
    STANDARD_OUTPUT,
    sidecar_of,
    style_of,
)
from live_ser.records.outputs import let_go, name_is_refused, silence, written
from live_ser.records.places import Places
from live_ser.text import printable

if TYPE_CHECKING:
    from live_ser.audio.reading import Reading
    from live_ser.audio.sources import Source
    from live_ser.batch.jobs import Job, Outcome
    from live_ser.batch.progress import FileProgress
    from live_ser.inference.monitor import Monitor
    from live_ser.live.session import Session
    from live_ser.live.sinks import RecordSink
    from live_ser.model.onnx_model import EmotionModel
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline
    from live_ser.records.formats import Style
    from live_ser.records.schema import Writer
    from live_ser.spec import ModelInfo

Arguments = argparse.Namespace
_DEMO = Path(str(files("live_ser"))) / "demo.flac"
_KINDS = 3  # of files that were left alone, that are named

_ENDING_SECONDS = 1.8  # after which a session that shall end does, whatever stands still
_SAYING_SECONDS = 0.5  # that a line on standard error may take


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: its words, without the program's name; those of the process if None.

    Returns:
        The exit code: 0 done, 1 could not do it, 2 wrong usage.
    """
    from live_ser.live.quiet import native_messages_hidden

    _open_standard_streams()
    arguments = parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may hold what its encoding does not
        sys.stdout.reconfigure(errors="backslashreplace")
    with gentle_interrupts(), ExitStack() as stack:
        if not arguments.verbose:
            stack.enter_context(native_messages_hidden())
        code = _run(arguments)
        if stuck():
            os._exit(code)  # Python would wait
        return code


def _run(arguments: Arguments) -> int:
    """Run the command that was asked for, and say what went wrong; the exit code."""
    try:
        code: int = _COMMANDS[arguments.command](arguments)
        if not stuck():
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        within(_SAYING_SECONDS, partial(_say_notes, interrupt))
        return 0 if arguments.command == "listen" else 1
    except BrokenPipeError:
        if not stuck():
            let_go(sys.stdout)
        return 0  # whoever read has read enough
    except Exception as error:
        if not stuck():
            let_go(sys.stdout)
        within(_SAYING_SECONDS, partial(_say_error, error, verbose=arguments.verbose))
        return _in_our_words(error).exit_code
    return code


def _say_error(error: Exception, *, verbose: bool) -> None:
    if verbose:
        import traceback

        with suppress(OSError):
            traceback.print_exception(error)
    told = _in_our_words(error)
    _say(f"live-ser: {told.message}")
    if told.hint:
        _say(f"  try: {told.hint}")
    _say_notes(error)


def _open_standard_streams() -> None:
    """Put nothing in the place of standard streams that are closed.

    The next file that is opened would stand there else, and be written into.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _listen(arguments: Arguments) -> int:
    from live_ser.inference.monitor import Monitor
    from live_ser.live.background import Background
    from live_ser.live.session import Session
    from live_ser.live.sinks import ProfileSink
    from live_ser.local_time import now
    from live_ser.model.onnx_model import load
    from live_ser.records.schema import end_record, session_record

    _use_standard_output(arguments, "jsonl")
    style_of(arguments.format, arguments.output, "jsonl")  # refused before anything is opened
    model = load(arguments.model)
    rate = model.info.features.sample_rate
    baseline, profile = _baseline(arguments, model.info)
    with ending_signals(_ENDING_SECONDS) as ending, _source(arguments, rate) as blocks:
        session = Session(blocks, rate, duration=arguments.duration, ending=ending)
        predictions = Monitor(
            model, session, hop=arguments.hop, smoothing=arguments.smoothing, baseline=baseline
        )
        keeper = profile and baseline and ProfileSink(profile, baseline)
        started = now()
        places = _claim_session(arguments, model, blocks, profile)
        with ExitStack() as stack:
            stack.callback(session.sinks.close)
            if keeper:
                session.sinks.attach(Background(keeper))
            _attach_sinks(arguments, stack, session, predictions, model.info, places=places)
            chosen = {"channel": arguments.channel, "track": arguments.track}
            session.sinks.begin(
                session_record(model.info, blocks.name, predictions.hop, started, **chosen)
            )
            try:
                for prediction in predictions:
                    session.sinks.window(prediction)
            finally:
                if not _patience(arguments, session)():
                    ending.count_down()
                counts = predictions.windows, predictions.skipped, blocks.overflows
                session.sinks.end(end_record(*counts, session.seconds))
            # A dashboard took along what was said on it.
            said = 0 if _has_dashboard(arguments) else len(session.sinks.failures)
    lines = [f"live-ser: {failure}" for failure in session.sinks.failures[said:]]
    if keeper and keeper.found is not None and not arguments.quiet:
        path = f"profile {keeper.profile.name}: {keeper.profile.path}"
        lines.append(path if keeper.found else "no speech to make a profile of")
    if not arguments.quiet:
        heard = f"{session.seconds:.1f} s heard, {predictions.windows} windows"
        lines.append(f"{heard}, {predictions.skipped} skipped, {blocks.overflows} overflows")
    within(_SAYING_SECONDS, partial(_say_all, lines))
    return 0 if session.sinks.kept else 1


def _patience(arguments: Arguments, session: Session) -> Callable[[], bool]:
    """Whether to wait for outputs just now: a file that is replayed at full speed can."""
    can_wait = arguments.replay is not None and arguments.speed == 0
    return lambda: can_wait and not session.ending()


def _reading(arguments: Arguments) -> Reading:
    """How recordings are read."""
    from live_ser.audio.reading import reading_asked_for

    names = ("channel", "track", "raw", "rate", "channels")
    asked = {name: getattr(arguments, name) for name in names}
    return reading_asked_for(**asked, partial=getattr(arguments, "partial", False))


def _use_standard_output(arguments: Arguments, usual: Style) -> None:
    """Take ``-o -`` for what it means: nothing else is to stand there."""
    if arguments.output == STANDARD_OUTPUT:
        arguments.output, arguments.format = None, arguments.format or usual


def _named_sounds(arguments: Arguments) -> list[str]:
    """The recordings that are named with --from, standard input among them."""
    if not (arguments.paths or arguments.sounds):
        raise LiveSerError("no recordings are named", "live-ser file PATH", exit_code=2)
    if "-" in arguments.paths and "-" in arguments.sounds:
        raise LiveSerError(
            "standard input cannot be a list of names and sound", "name one of them", exit_code=2
        )
    return list(arguments.sounds)


def _file(arguments: Arguments) -> int:
    _use_standard_output(arguments, "table")
    if arguments.scheduler is not None:
        return _file_on_cluster(arguments)
    from live_ser.batch.jobs import judge_files
    from live_ser.batch.paths import files_meant
    from live_ser.model.onnx_model import load

    style = style_of(arguments.format, arguments.output, "table")
    model = load(arguments.model)
    others: Counter[str] = Counter()
    paths = list(files_meant(arguments.paths, left_alone=lambda name: others.update([_kind(name)])))
    paths += _named_sounds(arguments)
    records, pictures = _places(arguments, paths, style)
    _claim(
        arguments,
        inputs=[str(model.path), *paths],
        style=style,
        records=records,
        pictures=pictures,
    )
    if arguments.resume:
        paths = _unfinished(arguments, paths, style, model)
    output = written(
        records,
        style,
        model.info.labels,
        force=arguments.force,
        more=arguments.resume,
        bom=arguments.bom,
    )
    failures = 0
    with ExitStack() as stack:
        ending = stack.enter_context(ending_signals())
        job = stack.enter_context(_job(arguments, model, style))
        writer = stack.enter_context(output)

        def look() -> None:
            if ending():
                raise KeyboardInterrupt

        with _progress(arguments, paths, style) as bar:
            judged = judge_files(job, paths, workers=arguments.workers, told=bar.told, look=look)
            outcomes = stack.enter_context(closing(judged))
            for outcome in outcomes:
                bar.done(outcome.seconds)
                _tell(outcome.notes, arguments)
                if outcome.error:
                    failures += 1
                    _say(f"live-ser: {outcome.error.message} ({outcome.error.hint})")
                # The length of what ffmpeg reads is known at its end only.
                is_long = outcome.seconds > _long(model.info)
                shown = arguments.timeline or (style == "table" and is_long)
                failures += not _kept(outcome, writer, windows=shown)
                if pictures and not outcome.error:
                    failures += not _drawn(outcome, job, pictures, force=arguments.force)
                outcome.records.drop()
                look()
    _say_left_alone(arguments, others)
    return int(failures > 0)


def _file_on_cluster(arguments: Arguments) -> int:
    import logging

    from live_ser.extras import needed
    from live_ser.inference.settings import Settings
    from live_ser.model.onnx_model import load

    if arguments.output is None or arguments.format not in (None, "parquet"):
        raise LiveSerError(
            "a cluster writes Parquet files into a folder", "name it: -o FOLDER", exit_code=2
        )
    if arguments.plot is not None or arguments.workers is not None:
        raise LiveSerError(
            "--plot and --workers are for this machine, not for a cluster", exit_code=2
        )
    for package in ("distributed", "fsspec", "pyarrow.parquet"):
        needed(package, "cluster")
    if not arguments.verbose:
        logging.disable()  # Dask's log says in many lines what is said in one
    from live_ser.batch.dask_cluster import Cluster, sources_meant
    from live_ser.batch.paths import key_of

    model = load(arguments.model)
    options = {name: getattr(arguments, name) for name in ("hop", "smoothing")}
    Settings.checked(model.info, **options)  # what cannot be is said here, not by a worker
    options |= {name: getattr(arguments, name) for name in ("timeline", "segments")}
    options["judged_with"] = _judged_with(arguments, model)
    options["reading"] = _reading(arguments)
    others: Counter[str] = Counter()
    sources = sources_meant(arguments.paths, left_alone=lambda name: others.update([_kind(name)]))
    sources += sources_meant(_named_sounds(arguments))
    cluster = Cluster(arguments.scheduler, model, arguments.output, **options)
    failures = 0
    with closing(cluster):
        done = cluster.finished()
        if done and not arguments.resume:
            raise LiveSerError(
                f"{arguments.output} holds verdicts already", "take another folder, or --resume"
            )
        left = [source for source in sources if key_of(source) not in done]
        if arguments.resume and not arguments.quiet:
            _say(f"{len(sources) - len(left)} of {len(sources)} files are judged already")
        sources = left
        with (
            _progress(arguments, sources, "parquet") as bar,
            closing(cluster.judge(sources)) as parts,
        ):
            for part in parts:
                for _ in range(part.files):
                    bar.done(part.seconds / part.files)
                _tell(part.notes, arguments)
                for error in part.errors:
                    failures += 1
                    _say(f"live-ser: {error.message} ({error.hint})")
    _say_left_alone(arguments, others)
    return int(failures > 0)


def _kind(name: str) -> str:
    """What kind of file a name is of, for people."""
    return os.path.splitext(name)[1].lower() or "without an ending"


def _say_left_alone(arguments: Arguments, others: Counter[str]) -> None:
    """Say how many files of other kinds were in the folders."""
    if not others or arguments.quiet:
        return
    kinds = [f"{count} {kind}" for kind, count in others.most_common(_KINDS)]
    if len(others) > _KINDS:
        kinds.append("…")
    files = "1 file" if others.total() == 1 else f"{others.total()} files"
    _say(f"left alone {files} of other kinds ({', '.join(kinds)})")


def _places(
    arguments: Arguments, paths: list[str], style: Style
) -> tuple[Places | None, Places | None]:
    """Where records and pictures go."""
    records = pictures = None
    if arguments.output is not None:
        one_each = style in ANNOTATIONS
        records = Places(arguments.output, ENDINGS[style], paths, one_each=one_each)
    elif style in ANNOTATIONS and len(paths) > 1:
        raise LiveSerError(
            f"{style} is for one recording, and there are several",
            "name a folder, with a slash at its end, for a file of each: -o FOLDER/",
            exit_code=2,
        )
    if arguments.plot is not None:
        from live_ser.audio.sources import is_pipe
        from live_ser.report.plot import picture_places

        if any(map(is_pipe, paths)):
            raise LiveSerError(
                "sound from a pipe cannot be drawn", "copy it into a file", exit_code=2
            )
        pictures = picture_places(arguments.plot, paths)
    return records, pictures


def _claim(
    arguments: Arguments,
    *,
    inputs: list[str],
    style: Style,
    records: Places | None,
    pictures: Places | None,
) -> None:
    """Refuse to write what is read, or to write it twice; and make the folders."""
    claims = Claims()
    for path in inputs:
        claims.read(path)
    if "-" in arguments.paths:
        claims.read_stream(sys.stdin, "the list on standard input")
    if records is None:
        claims.write_stream(sys.stdout, "standard output")
    for place in records.all() if records else ():
        claims.write(place)
        if (sidecar := sidecar_of(place, style)) is not None:
            claims.write(sidecar)
    for place in pictures.all() if pictures else ():
        claims.write(place)
    for places in (records, pictures):
        if places is not None:
            places.make()


@contextmanager
def _job(arguments: Arguments, model: EmotionModel, style: Style) -> Iterator[Job]:
    """What is to be done with each file."""
    from live_ser.batch.jobs import Job
    from live_ser.temporary import temporary_folder

    always = arguments.timeline or arguments.plot is not None
    # An annotation is one of utterances, unless windows are asked for.
    segments = arguments.segments or (style in ANNOTATIONS and not arguments.timeline)
    long = _long(model.info) if style == "table" and not arguments.segments else False
    with temporary_folder() as folder:
        yield Job(
            model,
            folder,
            hop=arguments.hop,
            smoothing=arguments.smoothing,
            timeline=always or long,
            segments=segments,
            judged_with=_judged_with(arguments, model),
            reading=_reading(arguments),
        )


def _judged_with(arguments: Arguments, model: EmotionModel) -> str:
    from live_ser.batch.resume import judged_with

    given = {name: getattr(arguments, name) for name in ("timeline", "segments")}
    reading = _reading(arguments)
    return judged_with(model, arguments.hop, arguments.smoothing, **given, reading=reading)


def _long(info: ModelInfo) -> float:
    """Seconds, from which on a table has a timeline of a recording, too."""
    return 2 * info.window


def _unfinished(
    arguments: Arguments, paths: list[str], style: Style, model: EmotionModel
) -> list[str]:
    """The files that an output which is gone on with holds no verdict on."""
    from live_ser.batch.resume import unfinished

    if arguments.output is None:
        raise LiveSerError("--resume without an output", "name it with -o", exit_code=2)
    options = _judged_with(arguments, model)
    left = unfinished(arguments.output, style, model.info.labels, paths, options)
    if not arguments.quiet:
        _say(f"{len(paths) - len(left)} of {len(paths)} files are judged already")
    return left


@contextmanager
def _progress(arguments: Arguments, paths: list[str], style: Style) -> Iterator[FileProgress]:
    """A bar on standard error, where that is a terminal on which nothing else is written."""
    from rich.console import Console

    from live_ser.batch.progress import FileProgress

    alone = arguments.output or style == "table" or not sys.stdout.isatty()
    shown = alone and not arguments.quiet and sys.stderr.isatty()
    with FileProgress(Console(stderr=True, quiet=not shown), paths) as bar:
        yield bar


def _kept(outcome: Outcome, writer: Writer, *, windows: bool) -> bool:
    """Write what came of a recording; False where no file can have its name."""
    try:
        for record in outcome.records:
            if windows or record["type"] != "window":
                writer.write(record)
    except LiveSerError as error:
        if not name_is_refused(error):
            raise
        _say(f"live-ser: {error.message} (give {outcome.source} a shorter name)")
        return False
    return True


def _drawn(outcome: Outcome, job: Job, pictures: Places, *, force: bool) -> bool:
    """Whether a recording could be drawn."""
    from live_ser.report.plot import draw_plot

    windows = (record for record in outcome.records if record["type"] == "window")
    try:
        draw_plot(
            outcome.source,
            job.model.info,
            windows,
            pictures.of(outcome.source),
            force=force,
            reading=job.reading,
        )
    except LiveSerError as error:
        _say(f"live-ser: {error.message} ({error.hint})")
        return False
    return True


def _devices(arguments: Arguments) -> int:
    from live_ser.audio.devices import accepted_rates, find_device, input_devices
    from live_ser.records.tables import devices_table, show

    chosen = find_device(arguments.device)
    rows = [
        (device, accepted_rates(device), device.index == chosen.index) for device in input_devices()
    ]
    show(sys.stdout, devices_table(rows))
    return 0


def _doctor(arguments: Arguments) -> int:
    from live_ser.cli.doctor import examine

    if not arguments.quiet:
        _say("examining; speak for three seconds when the microphone opens")
    failed = False
    for finding in examine(
        arguments.model,
        arguments.device,
        channels=arguments.channels,
        channel=arguments.channel,
    ):
        failed = failed or finding.verdict == "fail"
        if not (arguments.quiet and finding.verdict == "ok"):
            print(f"{finding.verdict:4}  {printable(finding.text)}", flush=True)
            if finding.advice:
                print(f"      try: {printable(finding.advice)}", flush=True)
    return int(failed)


def _info(arguments: Arguments) -> int:
    from live_ser.model.onnx_model import load
    from live_ser.records.tables import model_card, show

    model = load(arguments.model)
    if arguments.format == "jsonl":
        print(model.info.to_json())
    else:
        show(sys.stdout, model_card(model.info, model.path))
    return 0


def _report(arguments: Arguments) -> int:
    from live_ser.report.page import write_report

    if Path(arguments.session).is_dir():
        raise LiveSerError(f"{arguments.session} is a folder", "name the record in it")
    output = arguments.output or Path(arguments.session).with_suffix(".html")
    write_report(
        arguments.session,
        output,
        recording=arguments.recording,
        audio=arguments.audio,
        model=arguments.model,
        force=arguments.force,
        reading=_reading(arguments),
    )
    if not arguments.quiet and output != STANDARD_OUTPUT:
        _say(f"wrote {output}")
    return 0


def _baseline(
    arguments: Arguments, info: ModelInfo
) -> tuple[RunningBaseline | None, Profile | None]:
    """What is known of the speaker, and where it is kept."""
    if arguments.enroll is None and arguments.profile is None:
        return None, None
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline

    if info.baseline is None:
        raise LiveSerError(
            f"the model {info.name} judges every voice by itself",
            "leave out --enroll and --profile, or take another model",
        )
    baseline = RunningBaseline(info, enrol=arguments.enroll or 0.0)
    profile = Profile.named(arguments.profile, info) if arguments.profile is not None else None
    if profile:
        profile.begin(baseline)
    return baseline, profile


@contextmanager
def _source(arguments: Arguments, rate: int) -> Iterator[Source]:
    """The sound that was asked for."""
    from live_ser.audio.sources import is_pipe, microphone, piped, replay

    with ExitStack() as stack:
        if arguments.replay is not None:
            reading = _reading(arguments)
            if is_pipe(arguments.replay):
                yield stack.enter_context(piped(arguments.replay, rate, reading))
            else:
                path, speed = arguments.replay, arguments.speed
                yield stack.enter_context(replay(path, rate, speed, reading=reading))
            return
        if arguments.track or arguments.raw or arguments.rate:
            raise LiveSerError(
                "--track, --raw and --rate are for recordings", "name one: --from", exit_code=2
            )
        try:
            blocks = stack.enter_context(
                microphone(
                    arguments.device,
                    rate,
                    channels=arguments.channels,
                    channel=arguments.channel,
                    reconnect=arguments.reconnect,
                )
            )
        except LiveSerError as error:
            if not arguments.or_demo:
                raise
            _say(f"live-ser: {error.message}; a bundled recording is replayed instead")
            endless = arguments.duration is None and _has_dashboard(arguments)
            name = "demo.flac (no microphone)"
            blocks = stack.enter_context(replay(_DEMO, rate, endless=endless, name=name))
        yield blocks


def _claim_session(
    arguments: Arguments, model: EmotionModel, source: Source, profile: Profile | None
) -> Places | None:
    """Refuse to write what is read, or to write it twice; where the records go, if into files."""
    style = style_of(arguments.format, arguments.output, "jsonl")
    claims = Claims()
    claims.read(model.path, "the model")
    claims.read(_DEMO)
    if arguments.replay is not None:
        claims.read(arguments.replay)
    if profile is not None:
        claims.write(profile.path)
    if arguments.record:
        from live_ser.live.recorder import kind_of

        kind_of(Path(arguments.record))
        claims.write(arguments.record)
    if arguments.output is None:
        claims.write_stream(sys.stdout, "standard output")
        return None
    places = Places(arguments.output, ENDINGS[style], [source.name], anew=not arguments.force)
    for place in places.all():
        claims.write(place)
        if (sidecar := sidecar_of(place, style)) is not None:
            claims.write(sidecar)
    return places


def _attach_sinks(
    arguments: Arguments,
    stack: ExitStack,
    session: Session,
    predictions: Monitor,
    info: ModelInfo,
    *,
    places: Places | None,
) -> None:
    """Attach what takes the session: the dashboard, records, or lines for people."""
    from live_ser.live.background import Background
    from live_ser.live.sinks import MessageSink

    blocks, sinks, patient = session.source, session.sinks, _patience(arguments, session)
    recorded = bool(arguments.output) or not _only_dashboard(arguments)
    if recorded:
        sinks.attach(Background(_record_sink(arguments, info, places), patient=patient))
    recording = None
    if arguments.record:
        from live_ser.live.recorder import Recording

        rate = info.features.sample_rate
        kept = Recording(arguments.record, rate, force=arguments.force)
        recording = Background(kept, patient=patient)
        sinks.attach(recording)
    if _has_dashboard(arguments):
        from rich.console import Console

        from live_ser.dashboard.dashboard import Dashboard
        from live_ser.dashboard.sink import DashboardSink
        from live_ser.live.keys import pressed_keys

        console = Console(stderr=True)
        dashboard = Dashboard(console, info, blocks.name, blocks.native_rate)
        session.key = stack.enter_context(pressed_keys())
        dashboard.__enter__()  # its sink gives the terminal back
        shown = DashboardSink(dashboard, blocks, predictions, recording, marks_kept=recorded)
        sinks.attach(Background(shown))
    else:
        hello = f"listening to {blocks.name} ({blocks.native_rate} Hz); Ctrl-C ends it"
        first = [] if arguments.quiet else [hello]
        sinks.attach(Background(MessageSink(_say, blocks, first)))


def _record_sink(arguments: Arguments, info: ModelInfo, places: Places | None) -> RecordSink:
    """Where the records go."""
    from live_ser.live.sinks import RecordSink

    style = style_of(arguments.format, arguments.output, "jsonl")
    opened = ExitStack()
    records = written(places, style, info.labels, force=arguments.force, bom=arguments.bom)
    writer = opened.enter_context(records)
    name = "standard output"
    if arguments.output:
        name = f"the record {Path(arguments.output).name}"
        if style not in GROWING and not arguments.quiet:
            later = f"{name} is written when the session ends; .jsonl and .csv grow with it"
            within(_SAYING_SECONDS, partial(_say, later))
    return RecordSink(writer, name, sync=writer.sync, close=opened.close)


def _has_dashboard(arguments: Arguments) -> bool:
    """Whether there is a terminal for a dashboard, and nothing else that is written on it."""
    from rich.console import Console

    from live_ser.dashboard.dashboard import Dashboard

    if arguments.quiet or not Dashboard.possible(Console(stderr=True)):
        return False
    if arguments.output:
        return True
    if sys.stdout.isatty():
        return arguments.format is None
    # What reads a pipe may well write on the same terminal; a file does not.
    return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)


def _only_dashboard(arguments: Arguments) -> bool:
    return sys.stdout.isatty() and arguments.format is None and _has_dashboard(arguments)


def _in_our_words(error: Exception) -> LiveSerError:
    if isinstance(error, LiveSerError):
        return error
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        tries = "make room" if error.errno == errno.ENOSPC else "see that it is there and yours"
        return LiveSerError(f"cannot read or write{where}: {error.strerror or error}", tries)
    return LiveSerError(
        f"{type(error).__name__}: {error}", "the same with -v, and report what it prints"
    )


def _say_notes(error: BaseException) -> None:
    """Say where to find what was on its way when it ended."""
    for note in getattr(error, "__notes__", ()):
        _say(note)


def _tell(notes: Sequence[str], arguments: Arguments) -> None:
    if not arguments.quiet:
        for note in notes:
            _say(f"live-ser: {note}")


def _say_all(lines: Sequence[str]) -> None:
    for line in lines:
        _say(line)


def _say(line: str) -> None:
    try:
        print(printable(line), file=sys.stderr, flush=True)
    except OSError:  # nobody reads it, or its disk is full: this costs nothing but the line
        silence(sys.stderr)


_COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "listen": _listen,
    "file": _file,
    "devices": _devices,
    "doctor": _doctor,
    "info": _info,
    "report": _report,
}
