"""The sound of a session: a microphone, a recording that is replayed, or a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from live_ser.audio.demo import DEMO, demo
from live_ser.audio.sources import Source, is_pipe, microphone, piped, replay
from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.cli.options import SourceOptions
from live_ser.errors import LiveSerError


@contextmanager
def open_source(
    options: SourceOptions,
    rate: int,
    *,
    reconnect: bool = True,
    or_demo: bool = False,
    endless: bool = False,
) -> Iterator[Source]:
    """The sound that was asked for, in blocks at a rate.

    Args:
        options: the microphone, or what is replayed instead.
        rate: samples a second of the blocks.
        reconnect: whether to wait for a microphone that goes away.
        or_demo: whether to replay a bundled recording where there is no microphone.
        endless: whether that recording begins again when it ends.

    Raises:
        LiveSerError: it cannot be opened, or options do not go together.
    """
    with ExitStack() as stack:
        if options.replay is not None:
            reading = options.reading()
            if is_pipe(options.replay):
                yield stack.enter_context(piped(options.replay, rate, reading))
            else:
                path, speed = options.replay, options.speed
                yield stack.enter_context(replay(path, rate, speed, reading=reading))
            return
        if options.track or options.raw or options.rate:
            raise UsageError("--track, --raw and --rate are for recordings", "name one: --from")
        try:
            blocks = stack.enter_context(
                microphone(
                    options.device,
                    rate,
                    channels=options.channels,
                    channel=options.channel,
                    each_channel=options.each_channel,
                    names=options.names or (),
                    reconnect=reconnect,
                )
            )
        except LiveSerError as error:
            if not or_demo:
                raise
            say(f"live-ser: {error.message}; a bundled recording is replayed instead")
            name = "demo.flac (no microphone)"
            if endless:
                yield stack.enter_context(demo(rate))
                return
            blocks = stack.enter_context(replay(DEMO, rate, name=name))
        yield blocks
