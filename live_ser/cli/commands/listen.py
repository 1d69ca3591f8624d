"""``live-ser listen``: classify a microphone, or the replay of a recording, as it sounds."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from live_ser.audio.blocks import Source
from live_ser.cli.claims import claim_session
from live_ser.cli.errors import UsageError
from live_ser.cli.listen_options import Options
from live_ser.cli.messages import say_in_time
from live_ser.cli.outputs import session_places
from live_ser.cli.session_summary import session_summary
from live_ser.cli.sinks import attach_outputs, stores_marks
from live_ser.cli.source import open_source
from live_ser.cli.speaker import speaker_of
from live_ser.cli.terminal import Display, display_of
from live_ser.inference.monitor import Monitor
from live_ser.live.background import Background
from live_ser.live.keys import NO_KEY, pressed_keys
from live_ser.live.session import Session
from live_ser.live.signals import ending_signals
from live_ser.live.sinks import ProfileSink
from live_ser.live.tally import Tally
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.records.formats import Style, style_of
from live_ser.records.places import Places

if TYPE_CHECKING:
    from live_ser.model.profile import Profile

_ENDING_SECONDS = 1.8  # limit for a session to end, even if something is stuck


def run(options: Options) -> int:
    """Listen until the end of the sound, or of the user; 1 if an output is incomplete."""
    options = options.resolved("jsonl")
    if options.lines and options.format and not options.output:
        raise UsageError(
            "--lines and --format are both for standard output",
            "leave one of them out, or name a file for the records: -o FILE",
        )
    options.check_one_speaker(profile=options.profile, enroll=options.enroll)
    style = style_of(options.format, options.output, "jsonl")  # before anything is opened
    model = load(options.model)
    rate = model.info.features.sample_rate
    model, baseline, profile = speaker_of(model, options.profile, options.enroll)
    display = display_of(options)
    with ending_signals(_ENDING_SECONDS) as ending, _source(options, rate, display) as source:
        patient = options.replay is not None and options.speed == 0
        session = Session(source, rate, duration=options.duration, ending=ending, patient=patient)
        monitor = Monitor(
            model,
            session,
            hop=options.hop,
            smoothing=options.smoothing,
            baseline=baseline,
            voices=source.voices,
        )
        tally = Tally(marks_stored=stores_marks(options, display))
        profile_sink = ProfileSink(profile, baseline) if profile and baseline else None
        places = _places(options, style, source.name, model=model, profile=profile)
        keys = pressed_keys() if display.dashboard else nullcontext(lambda: NO_KEY)
        with session, keys as session.key:
            session.sinks.attach(tally)
            if profile_sink:
                session.sinks.attach(Background(profile_sink))
            attach_outputs(session, model.info, options, display, style=style, places=places)
            try:
                session.run(monitor, channel=options.channel, track=options.track)
            finally:
                if not session.patient:
                    ending.count_down()
            # The messages on a dashboard disappeared with it.
            shown = 0 if display.dashboard else len(session.sinks.failures)
    lines = [f"live-ser: {failure}" for failure in session.sinks.failures[shown:]]
    if not options.quiet:
        lines += tally.lines(session.seconds)
        lines += session_summary(options, session, monitor.skipped, profile_sink, display)
    say_in_time(lines)
    return 0 if session.sinks.intact else 1


def _source(options: Options, rate: int, display: Display) -> AbstractContextManager[Source]:
    """The source of sound."""
    return open_source(
        options,
        rate,
        reconnect=options.reconnect,
        or_demo=options.or_demo,
        endless=options.duration is None and display.dashboard,
    )


def _places(
    options: Options, style: Style, source: str, *, model: EmotionModel, profile: Profile | None
) -> Places | None:
    """The files of the records, after a check that no output is an input."""
    places = session_places(options.output, source, style, force=options.force)
    claim_session(
        model.path,
        style,
        replay=options.replay,
        profile=profile.path if profile else None,
        record=options.record,
        places=places,
    )
    return places
