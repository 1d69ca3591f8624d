"""What takes a session: records, a recording, the dashboard, or lines for people."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from live_ser.cli.messages import say, say_in_time
from live_ser.cli.outputs import mode_asked_for
from live_ser.cli.publishers import publishers_asked_for
from live_ser.cli.terminal import has_dashboard, has_lines, has_records
from live_ser.live.background import Background
from live_ser.live.lines import LineSink
from live_ser.live.session import Session
from live_ser.live.sinks import MessageSink, RecordSink
from live_ser.records.formats import GROWING, Style
from live_ser.records.outputs import written
from live_ser.records.places import Places
from live_ser.spec import ModelInfo
from live_ser.text import printable


def attach_sinks(
    arguments: Namespace,
    session: Session,
    info: ModelInfo,
    *,
    style: Style,
    places: Places | None,
) -> None:
    """Attach what takes the session.

    Args:
        arguments: of the command.
        session: that the sinks are attached to.
        info: of the model.
        style: of the records.
        places: where the records go; standard output if None.
    """
    recorded = has_records(arguments)
    if recorded:
        sink = _record_sink(arguments, info, style, places)
        session.sinks.attach(Background(sink, patient=lambda: session.patient))
    recording = None
    if arguments.record:
        from live_ser.live.recorder import Recording

        rate = info.features.sample_rate
        kept = Recording(arguments.record, rate, force=arguments.force)
        recording = Background(kept, patient=lambda: session.patient)
        session.sinks.attach(recording)
    if has_lines(arguments):
        session.sinks.attach(Background(LineSink(_print), patient=lambda: session.patient))
    publishers_asked_for(arguments, info)(session)
    source = session.source
    if has_dashboard(arguments):
        _attach_dashboard(session, info, recording, marks_kept=recorded)
    else:
        hello = f"listening to {source.name} ({source.native_rate} Hz); Ctrl-C ends it"
        session.sinks.attach(Background(MessageSink(say, [] if arguments.quiet else [hello])))


def _print(line: str) -> None:
    """A line on standard output, at once."""
    print(printable(line), flush=True)


def _record_sink(
    arguments: Namespace, info: ModelInfo, style: Style, places: Places | None
) -> RecordSink:
    """What writes the records."""
    opened = ExitStack()
    records = written(places, style, info.labels, mode=mode_asked_for(arguments), bom=arguments.bom)
    writer = opened.enter_context(records)
    name = "standard output"
    if arguments.output:
        name = f"the record {Path(arguments.output).name}"
        if style not in GROWING and not arguments.quiet:
            later = f"{name} is written when the session ends; .jsonl and .csv grow with it"
            say_in_time([later])
    return RecordSink(writer, name, sync=writer.sync, close=opened.close)


def _attach_dashboard(
    session: Session, info: ModelInfo, recording: Background | None, *, marks_kept: bool
) -> None:
    from rich.console import Console

    from live_ser.dashboard.dashboard import Dashboard
    from live_ser.dashboard.sink import DashboardSink

    source = session.source
    dashboard = Dashboard(Console(stderr=True), info, source.name, source.native_rate)
    dashboard.__enter__()  # its sink gives the terminal back
    session.sinks.attach(Background(DashboardSink(dashboard, recording, marks_kept=marks_kept)))
