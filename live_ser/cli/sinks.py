"""What takes a session: records, a recording, the dashboard, or lines for people."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from live_ser.cli.messages import say, say_in_time
from live_ser.cli.options import RecordOptions
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


def attach_records(
    session: Session,
    info: ModelInfo,
    options: RecordOptions,
    style: Style,
    places: Places | None,
    *,
    quiet: bool,
) -> None:
    """Write the records of a session.

    Args:
        session: that is written down.
        info: of the model.
        options: of the records.
        style: of the records.
        places: where the records go; standard output if None.
        quiet: whether only errors are printed.
    """
    opened = ExitStack()
    records = written(places, style, info.labels, mode=options.mode(), bom=options.bom)
    writer = opened.enter_context(records)
    name = "standard output"
    if options.output:
        name = f"the record {Path(options.output).name}"
        if style not in GROWING and not quiet:
            later = f"{name} is written when the session ends; .jsonl and .csv grow with it"
            say_in_time([later])
    sink = RecordSink(writer, name, sync=writer.sync, close=opened.close)
    session.sinks.attach(Background(sink, patient=lambda: session.patient))


def attach_recording(session: Session, path: str, rate: int, *, force: bool) -> Background:
    """Keep the sound of a session in a file.

    Args:
        session: that is recorded.
        path: of the file.
        rate: samples a second.
        force: whether a file that is there is replaced.

    Returns:
        The sink that writes it.
    """
    from live_ser.live.recorder import Recording

    channels = len(session.source.voices) or 1
    kept = Recording(path, rate, channels=channels, force=force)
    recording = Background(kept, patient=lambda: session.patient)
    session.sinks.attach(recording)
    return recording


def attach_display(
    session: Session,
    info: ModelInfo,
    display: Display,
    recording: Background | None,
    *,
    quiet: bool,
) -> None:
    """Show a session on the terminal.

    Args:
        session: that is shown.
        info: of the model.
        display: where it is shown.
        recording: what writes the sound, if anything does.
        quiet: whether only errors are printed.
    """
    if display.lines:
        session.sinks.attach(Background(LineSink(_print), patient=lambda: session.patient))
    if display.dashboard:
        _attach_dashboard(session, info, recording, display)
        return
    source = session.source
    hello = f"listening to {source.name} ({source.native_rate} Hz); Ctrl-C ends it"
    session.sinks.attach(Background(MessageSink(say, [] if quiet else [hello])))


def _print(line: str) -> None:
    """A line on standard output, at once."""
    print(printable(line), flush=True)


def _attach_dashboard(
    session: Session, info: ModelInfo, recording: Background | None, display: Display
) -> None:
    from live_ser.dashboard.dashboard import Dashboard

    source = session.source
    dashboard = Dashboard(
        display.console(),
        info,
        source.name,
        source.native_rate,
        recording=recording,
        marks_kept=display.records,
        voices=source.voices,
    )
    dashboard.__enter__()  # it gives the terminal back when it is closed
    session.sinks.attach(Background(dashboard))
