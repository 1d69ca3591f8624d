"""``live-ser listen``: a microphone, or a recording that is replayed, judged while it sounds."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from live_ser.cli.claims import claim_session
from live_ser.cli.messages import say_in_time
from live_ser.cli.outputs import session_places, use_standard_output
from live_ser.cli.sinks import attach_sinks, patience
from live_ser.cli.source import source_asked_for
from live_ser.cli.speaker import baseline_asked_for
from live_ser.cli.terminal import has_dashboard
from live_ser.inference.monitor import Monitor
from live_ser.live.background import Background
from live_ser.live.session import Session
from live_ser.live.signals import ending_signals
from live_ser.live.sinks import ProfileSink
from live_ser.local_time import now
from live_ser.model.onnx_model import load
from live_ser.records.formats import style_of
from live_ser.records.schema import end_record, session_record

_ENDING_SECONDS = 1.8  # after which a session that shall end does, whatever stands still


def run(arguments: Namespace) -> int:
    """Listen until the sound or the user ends it; 1 if not all was kept that was to be."""
    use_standard_output(arguments, "jsonl")
    style = style_of(arguments.format, arguments.output, "jsonl")  # before anything is opened
    model = load(arguments.model)
    rate = model.info.features.sample_rate
    baseline, profile = baseline_asked_for(arguments, model.info)
    with ending_signals(_ENDING_SECONDS) as ending, source_asked_for(arguments, rate) as blocks:
        session = Session(blocks, rate, duration=arguments.duration, ending=ending)
        monitor = Monitor(
            model, session, hop=arguments.hop, smoothing=arguments.smoothing, baseline=baseline
        )
        keeper = ProfileSink(profile, baseline) if profile and baseline else None
        started = now()
        places = session_places(arguments, blocks.name, style)
        claim_session(arguments, model, profile, style, places=places)
        with ExitStack() as stack:
            stack.callback(session.sinks.close)
            if keeper:
                session.sinks.attach(Background(keeper))
            attach_sinks(arguments, stack, session, monitor, model.info, style=style, places=places)
            chosen = {"channel": arguments.channel, "track": arguments.track}
            session.sinks.begin(
                session_record(model.info, blocks.name, monitor.hop, started, **chosen)
            )
            try:
                for prediction in monitor:
                    session.sinks.window(prediction)
            finally:
                if not patience(arguments, session)():
                    ending.count_down()
                counts = monitor.windows, monitor.skipped, blocks.overflows
                session.sinks.end(end_record(*counts, session.seconds))
            # A dashboard took along what was said on it.
            said = 0 if has_dashboard(arguments) else len(session.sinks.failures)
    lines = [f"live-ser: {failure}" for failure in session.sinks.failures[said:]]
    if not arguments.quiet:
        lines += _summary(session, monitor, keeper)
    say_in_time(lines)
    return 0 if session.sinks.kept else 1


def _summary(session: Session, monitor: Monitor, keeper: ProfileSink | None) -> list[str]:
    """What is said of a session that has ended."""
    lines = []
    if keeper and keeper.found is not None:
        path = f"profile {keeper.profile.name}: {keeper.profile.path}"
        lines.append(path if keeper.found else "no speech to make a profile of")
    judged = f"{session.seconds:.1f} s heard, {monitor.windows} windows"
    lines.append(f"{judged}, {monitor.skipped} skipped, {session.source.overflows} overflows")
    return lines
