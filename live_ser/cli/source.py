"""The sound of a session: a microphone, a recording that is replayed, or a pipe."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from live_ser.audio.demo import DEMO, demo
from live_ser.audio.sources import Source, is_pipe, microphone, piped, replay
from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.cli.recordings import reading_asked_for
from live_ser.cli.terminal import has_dashboard
from live_ser.errors import LiveSerError


@contextmanager
def source_asked_for(arguments: Namespace, rate: int) -> Iterator[Source]:
    """The sound that was asked for, in blocks at a rate."""
    with ExitStack() as stack:
        if arguments.replay is not None:
            reading = reading_asked_for(arguments)
            if is_pipe(arguments.replay):
                yield stack.enter_context(piped(arguments.replay, rate, reading))
            else:
                path, speed = arguments.replay, arguments.speed
                yield stack.enter_context(replay(path, rate, speed, reading=reading))
            return
        if arguments.track or arguments.raw or arguments.rate:
            raise UsageError("--track, --raw and --rate are for recordings", "name one: --from")
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
            say(f"live-ser: {error.message}; a bundled recording is replayed instead")
            endless = arguments.duration is None and has_dashboard(arguments)
            name = "demo.flac (no microphone)"
            if endless:
                yield stack.enter_context(demo(rate))
                return
            blocks = stack.enter_context(replay(DEMO, rate, name=name))
        yield blocks
