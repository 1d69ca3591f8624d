"""The command line: commands, options, and errors in one line each.

Commands import what they use when they use it: ``live-ser --help`` waits for nothing.
"""

from __future__ import annotations

import argparse
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from live_ser.errors import LiveSerError
from live_ser.options import parser
from live_ser.outputs import let_go, style_of, written
from live_ser.printable import printable

if TYPE_CHECKING:
    from live_ser.monitor import Monitor
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

    arguments = parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may hold what its encoding does not
        sys.stdout.reconfigure(errors="backslashreplace")
    with ExitStack() as stack:
        if not arguments.verbose:
            stack.enter_context(native_messages_hidden())
        try:
            code: int = _COMMANDS[arguments.command](arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return 0 if arguments.command == "listen" else 1
        except BrokenPipeError:
            let_go(sys.stdout)
            return 0  # whoever read has read enough
        except Exception as error:
            if arguments.verbose:
                import traceback

                traceback.print_exc()
            let_go(sys.stdout)
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
    style = style_of(arguments.format, arguments.output, "table")
    with written(arguments.output, style, model.info.labels, force=arguments.force) as writer:
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
    from live_ser.tables import devices_table, show

    chosen = find_device(arguments.device)
    rows = [
        (device, accepted_rates(device), device.index == chosen.index) for device in input_devices()
    ]
    show(sys.stdout, devices_table(rows))
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
    from live_ser.tables import model_card, show

    model = load(arguments.model)
    if arguments.format == "jsonl":
        print(model.info.to_json())
    else:
        show(sys.stdout, model_card(model.info, model.path))
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
            demo = Path(__file__).with_name("demo.flac")
            name = "demo.flac (no microphone)"
            blocks = stack.enter_context(replay(demo, rate, endless=endless, name=name))
        yield blocks


def _attach_sinks(
    arguments: Arguments, stack: ExitStack, session: Session, predictions: Monitor, info: ModelInfo
) -> None:
    """Attach what takes the session: the dashboard, records, or lines for people."""
    from live_ser.sinks import DashboardSink, MessageSink, RecordSink

    blocks, sinks = session.source, session.sinks
    if arguments.output or not _only_dashboard(arguments):
        style = style_of(arguments.format, arguments.output, "jsonl")
        records = written(arguments.output, style, info.labels, force=arguments.force)
        writer = stack.enter_context(records)
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


_COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "listen": _listen,
    "file": _file,
    "devices": _devices,
    "doctor": _doctor,
    "info": _info,
    "report": _report,
}
