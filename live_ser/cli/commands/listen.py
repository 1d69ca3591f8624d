"""``live-ser listen``: a microphone, or a recording that is replayed, judged while it sounds."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from live_ser.cli.claims import claim_session
from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say_in_time
from live_ser.cli.outputs import session_places, use_standard_output
from live_ser.cli.sinks import attach_sinks
from live_ser.cli.source import source_asked_for
from live_ser.cli.speaker import baseline_asked_for
from live_ser.cli.terminal import has_dashboard
from live_ser.inference.monitor import Monitor
from live_ser.live.background import Background
from live_ser.live.keys import NO_KEY, pressed_keys
from live_ser.live.session import Session
from live_ser.live.signals import ending_signals
from live_ser.live.sinks import ProfileSink
from live_ser.live.tally import Tally
from live_ser.model.onnx_model import load
from live_ser.records.formats import style_of

_ENDING_SECONDS = 1.8  # after which a session that shall end does, whatever stands still


def run(arguments: Namespace) -> int:
    """Listen until the sound or the user ends it; 1 if not all was kept that was to be."""
    use_standard_output(arguments, "jsonl")
    if arguments.lines and arguments.format and not arguments.output:
        raise UsageError(
            "--lines and --format are both for standard output",
            "leave one of them out, or name a file for the records: -o FILE",
        )
    style = style_of(arguments.format, arguments.output, "jsonl")  # before anything is opened
    model = load(arguments.model)
    rate = model.info.features.sample_rate
    model, baseline, profile = baseline_asked_for(arguments, model)
    with ending_signals(_ENDING_SECONDS) as ending, source_asked_for(arguments, rate) as source:
        patient = arguments.replay is not None and arguments.speed == 0
        session = Session(source, rate, duration=arguments.duration, ending=ending, patient=patient)
        monitor = Monitor(
            model, session, hop=arguments.hop, smoothing=arguments.smoothing, baseline=baseline
        )
        tally = Tally(monitor.hop)
        keeper = ProfileSink(profile, baseline) if profile and baseline else None
        places = session_places(arguments, source.name, style)
        claim_session(arguments, model, profile, style, places=places)
        with session, _keys(arguments) as session.key:
            session.sinks.attach(tally)
            if keeper:
                session.sinks.attach(Background(keeper))
            attach_sinks(arguments, session, model.info, style=style, places=places)
            try:
                session.run(monitor, channel=arguments.channel, track=arguments.track)
            finally:
                if not session.patient:
                    ending.count_down()
            # A dashboard took along what was said on it.
            shown = 0 if has_dashboard(arguments) else len(session.sinks.failures)
    lines = [f"live-ser: {failure}" for failure in session.sinks.failures[shown:]]
    if not arguments.quiet:
        lines += [*tally.lines(session.seconds), *_summary(arguments, session, monitor, keeper)]
    say_in_time(lines)
    return 0 if session.sinks.kept else 1


def _keys(arguments: Namespace) -> AbstractContextManager[Callable[[], str]]:
    """The keys that are pressed, where a dashboard shows what they do."""
    return pressed_keys() if has_dashboard(arguments) else nullcontext(lambda: NO_KEY)


def _summary(
    arguments: Namespace, session: Session, monitor: Monitor, keeper: ProfileSink | None
) -> list[str]:
    """What was lost in a session that has ended, where it lies, and the next command."""
    lines = []
    if monitor.skipped or session.source.overflows:
        lines.append(f"{monitor.skipped} skipped, {session.source.overflows} overflows")
    if keeper and keeper.has_speech is not None:
        path = f"profile {keeper.profile.name}: {keeper.profile.path}"
        lines.append(path if keeper.has_speech else "no speech to make a profile of")
    if arguments.record:
        lines.append(f"sound: {arguments.record}")
    if arguments.output:
        lines.append(f"record: {arguments.output}")
        if arguments.output.endswith(_REPORTED):
            sound = f" --audio {shlex.quote(arguments.record)}" if arguments.record else ""
            lines.append(f"next: live-ser report {shlex.quote(arguments.output)}{sound}")
    elif has_dashboard(arguments):
        lines.append("nothing was kept; -o session.jsonl keeps a record")
    return lines


_REPORTED = (".jsonl", ".csv", ".parquet")  # endings of the records that a report is made of
