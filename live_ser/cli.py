"""The command line: commands, options, and errors in one line each.

Commands import what they use when they use it: ``live-ser --help`` waits for nothing.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import stat
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from live_ser import __version__
from live_ser.errors import LiveSerError
from live_ser.printable import printable

if TYPE_CHECKING:
    from live_ser.monitor import Monitor
    from live_ser.records import Writer
    from live_ser.session import Session
    from live_ser.sources import Source
    from live_ser.spec import ModelInfo

Arguments = argparse.Namespace


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: its words, without the program's name; those of the process if None.

    Returns:
        The exit code: 0 done, 1 could not do it, 2 wrong usage.
    """
    from live_ser.quiet import native_messages_hidden

    arguments = _parser().parse_args(argv)
    with ExitStack() as stack:
        if not arguments.verbose:
            stack.enter_context(native_messages_hidden())
        try:
            code: int = arguments.run(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return 0 if arguments.run is _listen else 1
        except BrokenPipeError:
            _let_go(sys.stdout)
            return 0  # whoever read has read enough
        except Exception as error:
            if arguments.verbose:
                traceback.print_exc()
            _let_go(sys.stdout)
            error = _in_our_words(error)
            _say(f"live-ser: {error.message}")
            if error.hint:
                _say(f"  try: {error.hint}")
            return error.exit_code
        return code


def _listen(arguments: Arguments) -> int:
    from live_ser.model import load
    from live_ser.monitor import Monitor
    from live_ser.records import end_record, session_record
    from live_ser.session import Session, ending_signals

    model = load(arguments.model)
    rate = model.info.features.sample_rate
    with _source(arguments, rate) as blocks, ending_signals() as ending, ExitStack() as stack:
        session = Session(blocks, rate, duration=arguments.duration, ending=ending)
        predictions = Monitor(model, session, hop=arguments.hop, smoothing=arguments.smoothing)
        started = datetime.now().astimezone()
        _attach_sinks(arguments, stack, session, predictions, model.info)
        session.sinks.begin(session_record(model.info, blocks.name, predictions.hop, started))
        try:
            for prediction in predictions:
                session.sinks.window(prediction)
        finally:
            counts = predictions.windows, predictions.skipped, blocks.overflows
            session.sinks.end(end_record(*counts, session.seconds))
    if _has_dashboard(arguments):  # which took what it said along
        for failure in session.sinks.failures:
            _say(f"live-ser: {failure}")
    if not arguments.quiet:
        heard = f"{session.seconds:.1f} s heard, {predictions.windows} windows"
        _say(f"{heard}, {predictions.skipped} skipped, {blocks.overflows} overflows")
    return 0


def _file(arguments: Arguments) -> int:
    from live_ser.archive import judge_clip
    from live_ser.model import load
    from live_ser.monitor import Monitor
    from live_ser.records import clip_record, window_record
    from live_ser.sources import audio_file

    model = load(arguments.model)
    rate = model.info.features.sample_rate
    failed = False
    style = _format(arguments, "table")
    with _output(arguments, style, model.info.labels) as writer:
        for path in arguments.paths:
            try:
                with audio_file(path, rate) as blocks:
                    verdict = judge_clip(model, blocks)
                windows = []
                long = style == "table" and verdict.duration > 2 * model.info.window
                if arguments.timeline or long:
                    with audio_file(path, rate) as blocks:
                        hop, smoothing = arguments.hop, arguments.smoothing
                        windows = list(Monitor(model, blocks, hop=hop, smoothing=smoothing))
            except LiveSerError as error:
                if error.exit_code != 1:
                    raise
                failed = True
                _say(f"live-ser: {error.message} ({error.hint})")
                continue
            for window in windows:
                writer.write({**window_record(window), "source": path})
            writer.write(clip_record(path, verdict))
    return int(failed)


def _devices(arguments: Arguments) -> int:
    from live_ser.devices import accepted_rates, find_device, input_devices
    from live_ser.tables import console_for, devices_table

    chosen = find_device(arguments.device)
    rows = [
        (device, accepted_rates(device), device.index == chosen.index) for device in input_devices()
    ]
    console_for(sys.stdout).print(devices_table(rows))
    return 0


def _doctor(arguments: Arguments) -> int:
    from live_ser.doctor import examine

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
    from live_ser.model import load
    from live_ser.tables import console_for, model_card

    model = load(arguments.model)
    if arguments.format == "jsonl":
        print(model.info.to_json())
    else:
        console_for(sys.stdout).print(model_card(model.info, model.path))
    return 0


def _report(arguments: Arguments) -> int:
    from live_ser.report import write_report

    output = arguments.output or Path(arguments.session).with_suffix(".html")
    write_report(
        arguments.session,
        output,
        audio=arguments.audio,
        model=arguments.model,
        force=arguments.force,
    )
    if not arguments.quiet:
        _say(f"wrote {output}")
    return 0


@contextmanager
def _source(arguments: Arguments, rate: int) -> Iterator[Source]:
    """The sound that was asked for."""
    from live_ser.sources import microphone, replay

    with ExitStack() as stack:
        if arguments.replay is not None:
            yield stack.enter_context(replay(arguments.replay, rate, arguments.speed))
            return
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
            demo = str(files("live_ser") / "demo.flac")
            blocks = stack.enter_context(replay(demo, rate, endless=endless))
        yield blocks


def _attach_sinks(
    arguments: Arguments, stack: ExitStack, session: Session, predictions: Monitor, info: ModelInfo
) -> None:
    """Attach what takes the session: the dashboard, records, or lines for people."""
    from live_ser.sinks import DashboardSink, MessageSink, RecordSink

    blocks, sinks = session.source, session.sinks
    if arguments.output or not _only_dashboard(arguments):
        style = _format(arguments, "jsonl")
        writer = stack.enter_context(_output(arguments, style, info.labels))
        sinks.attach(RecordSink(writer, arguments.output or "standard output"))
    recording = None
    if arguments.record:
        from live_ser.recording import Recording

        rate = info.features.sample_rate
        recording = stack.enter_context(Recording(arguments.record, rate, force=arguments.force))
        sinks.attach(recording)
    if _has_dashboard(arguments):
        from rich.console import Console

        from live_ser.dashboard import Dashboard
        from live_ser.keys import pressed_keys

        console = Console(stderr=True)
        dashboard = Dashboard(console, info, blocks.name, blocks.native_rate)
        session.key = stack.enter_context(pressed_keys())
        stack.enter_context(dashboard)
        sinks.attach(DashboardSink(dashboard, blocks, predictions, recording))
    else:
        sinks.attach(MessageSink(_say, blocks))
        if not arguments.quiet:
            _say(f"listening to {blocks.name} ({blocks.native_rate} Hz); Ctrl-C ends it")


def _has_dashboard(arguments: Arguments) -> bool:
    """Whether there is a terminal for a dashboard, and nothing else that is written on it."""
    from rich.console import Console

    from live_ser.dashboard import Dashboard

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


def _format(arguments: Arguments, default: str) -> str:
    """How records are written: as asked for, as the file's name says, or as is usual."""
    if arguments.format:
        return str(arguments.format)
    suffix = Path(arguments.output or "").suffix.lower()
    return {".csv": "csv", ".jsonl": "jsonl", ".json": "jsonl"}.get(suffix, default)


@contextmanager
def _output(arguments: Arguments, style: str, labels: Sequence[str]) -> Iterator[Writer]:
    """What writes the records, into a file or onto standard output."""
    from live_ser.records import Csv, JsonLines
    from live_ser.tables import Verdicts

    stream = _created(arguments.output, arguments.force) if arguments.output else sys.stdout
    if isinstance(stream, io.TextIOWrapper) and style != "table":
        stream.reconfigure(encoding="utf-8")
    try:
        if style == "table":
            verdicts = Verdicts(stream, labels)
            yield verdicts
            verdicts.close()
        else:
            yield JsonLines(stream) if style == "jsonl" else Csv(stream, labels)
    finally:
        _let_go(stream)


def _created(path: str, force: bool) -> TextIO:
    """A new text file; an old one is overwritten only with ``force``."""
    try:
        return open(path, "w" if force else "x", encoding="utf-8")
    except FileExistsError as error:
        raise LiveSerError(
            f"{path} is there already", "take another name, or --force to overwrite it"
        ) from error
    except OSError as error:
        raise LiveSerError(
            f"cannot write {path}: {error.strerror}", "take a folder that exists and is yours"
        ) from error


def _in_our_words(error: Exception) -> LiveSerError:
    if isinstance(error, LiveSerError):
        return error
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        return LiveSerError(f"cannot read or write{where}: {error.strerror or error}")
    return LiveSerError(
        f"{type(error).__name__}: {error}", "the same with -v, and report what it prints"
    )


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)


def _let_go(stream: TextIO) -> None:
    """Close a file, and leave standard output open; each record was flushed when it was written.

    What could not be written then was told then, and must not fail a second time here, nor when
    Python ends.
    """
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if stream is not sys.stdout:
        stream.close()


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
    common.add_argument("-q", "--quiet", action="store_true", help="show errors only")

    judging = argparse.ArgumentParser(add_help=False)
    judging.add_argument("--hop", type=float, metavar="SECONDS", help="between judgements")
    judging.add_argument(
        "--smoothing",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="time constant of the smoothing over time; 0 is off (default: %(default)s)",
    )
    judging.add_argument("--format", choices=("table", "jsonl", "csv"), help="of the records")
    judging.add_argument("-o", "--output", metavar="FILE", help="write the records there")
    judging.add_argument("--force", action="store_true", help="overwrite files that are there")

    model = argparse.ArgumentParser(add_help=False)
    model.add_argument("--model", metavar="NAME|PATH", help="model to judge with")

    device = argparse.ArgumentParser(add_help=False)
    device.add_argument("-d", "--device", metavar="DEVICE", help="index or a part of the name")

    channels = argparse.ArgumentParser(add_help=False)
    channels.add_argument(
        "--channels", type=_count, metavar="N", help="record so many channels; their mean is heard"
    )
    channels.add_argument(
        "--channel", type=_count, metavar="K", help="hear this one of them, from 1"
    )

    parser = argparse.ArgumentParser(
        prog="live-ser",
        description="How a voice sounds, live in the terminal.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"live-ser {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str,
        run: Callable[[Arguments], int],
        told: str,
        *parents: argparse.ArgumentParser,
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=told, description=told, parents=[*parents, common], allow_abbrev=False
        )
        added.set_defaults(run=run)
        return added

    listen = command(
        "listen", _listen, "Listen to a microphone, live.", device, channels, model, judging
    )
    listen.add_argument("--from", dest="replay", metavar="FILE", help="replay a file instead")
    listen.add_argument(
        "--speed",
        type=_amount,
        default=1.0,
        metavar="FACTOR",
        help="of the replay; 0 is as fast as it goes (default: %(default)s)",
    )
    listen.add_argument("--record", metavar="FILE", help="keep the sound, as .flac or .wav")
    listen.add_argument("--duration", type=_positive, metavar="SECONDS", help="end after that")
    listen.add_argument(
        "--no-reconnect",
        dest="reconnect",
        action="store_false",
        help="end when the microphone goes away, instead of waiting for it",
    )
    listen.add_argument(
        "--or-demo",
        action="store_true",
        help="without a microphone, replay a bundled recording",
    )

    file = command("file", _file, "Judge recordings, each as a whole.", model, judging)
    file.add_argument("paths", nargs="+", metavar="PATH", help="sound files")
    file.add_argument("--timeline", action="store_true", help="judge every window of them too")

    command("devices", _devices, "List the input devices and the rates they accept.", device)

    told = "Check the installation and the microphone, and say what to do."
    command("doctor", _doctor, told, device, channels, model)

    info = command("info", _info, "Show what a model says of itself.")
    info.add_argument("model", nargs="?", metavar="MODEL", help="name or path of a model")
    info.add_argument("--format", choices=("table", "jsonl"), help="of the card")

    report = command("report", _report, "Make a page of a session that was recorded with -o.")
    report.add_argument("session", metavar="SESSION", help="records of the session, as JSON Lines")
    report.add_argument("--audio", metavar="FILE", help="its sound, to be played on the page")
    report.add_argument("--model", metavar="NAME|PATH", help="model that judged it, for its card")
    report.add_argument("-o", "--output", metavar="FILE", help="write the page there")
    report.add_argument("--force", action="store_true", help="overwrite a page that is there")
    return parser


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _amount(text: str) -> float:
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value
