"""The sinks of ``live-ser listen``: records, a recording, the dashboard, or lines."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from live_ser.cli.listen_options import Options
from live_ser.cli.messages import say, say_in_time
from live_ser.cli.publishers import publishers
from live_ser.cli.terminal import Display
from live_ser.live.background import Background
from live_ser.live.lines import LineSink
from live_ser.live.session import Session
from live_ser.live.sinks import MessageSink, RecordSink
from live_ser.records.formats import GROWING, Style
from live_ser.records.outputs import written
from live_ser.records.places import Places
from live_ser.spec import ModelInfo
from live_ser.text import printable


def attach_outputs(
    session: Session,
    info: ModelInfo,
    options: Options,
    display: Display,
    *,
    style: Style,
    places: Places | None,
) -> None:
    """Attach the sinks to a session.

    Args:
        session: the session.
        info: metadata of the model.
        options: options of the command.
        display: where to show the session.
        style: format of the records.
        places: files of the records; None for standard output.
    """
    if display.records:
        _attach_records(session, info, options, style=style, places=places)
    recording = None
    if options.record:
        rate = info.features.sample_rate
        recording = _attach_recording(session, options.record, rate, force=options.force)
    publishers(options.osc, options.lsl, info, options.hop)(session)
    if display.lines:
        session.sinks.attach(Background(LineSink(_print), patient=lambda: session.patient))
    if display.dashboard:
        stored = stores_marks(options, display)
        _attach_dashboard(session, info, display, recording, marks_stored=stored)
        return
    source = session.source
    hello = f"listening to {source.name} ({source.native_rate} Hz); Ctrl-C ends it"
    session.sinks.attach(Background(MessageSink(say, [] if options.quiet else [hello])))


def stores_marks(options: Options, display: Display) -> bool:
    """Whether marks are stored in records, or sent as LSL markers."""
    return display.records or options.lsl is not None


def _attach_records(
    session: Session, info: ModelInfo, options: Options, *, style: Style, places: Places | None
) -> None:
    opened = ExitStack()
    records = written(places, style, info.labels, mode=options.mode(), bom=options.bom)
    writer = opened.enter_context(records)
    name = "standard output"
    if options.output:
        name = f"the record {Path(options.output).name}"
        if style not in GROWING and not options.quiet:
            later = f"{name} is written when the session ends; .jsonl and .csv grow with it"
            say_in_time([later])
    sink = RecordSink(writer, name, sync=writer.sync, close=opened.close)
    session.sinks.attach(Background(sink, patient=lambda: session.patient))


def _attach_recording(session: Session, path: str, rate: int, *, force: bool) -> Background:
    """Attach a sink that records the sound, and return it."""
    from live_ser.live.recorder import Recording

    channels = len(session.source.voices) or 1
    sound = Recording(path, rate, channels=channels, force=force)
    recording = Background(sound, patient=lambda: session.patient)
    session.sinks.attach(recording)
    return recording


def _print(line: str) -> None:
    """Print a line to standard output, flushed."""
    print(printable(line), flush=True)


def _attach_dashboard(
    session: Session,
    info: ModelInfo,
    display: Display,
    recording: Background | None,
    *,
    marks_stored: bool,
) -> None:
    from live_ser.dashboard.dashboard import Dashboard

    source = session.source
    dashboard = Dashboard(
        display.console(),
        info,
        source.name,
        source.native_rate,
        recording=recording,
        marks_stored=marks_stored,
        voices=source.voices,
    )
    dashboard.__enter__()  # it restores the terminal when it is closed
    session.sinks.attach(Background(dashboard))
