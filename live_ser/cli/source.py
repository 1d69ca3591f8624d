"""The source of a session: a microphone, a replayed recording, or a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from live_ser.audio.demo import DEMO, Demo, demo
from live_ser.audio.sources import Source, is_pipe, microphone, piped, replay
from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.cli.options import SourceOptions
from live_ser.errors import LiveSerError

_DEMO_NAME = "demo.flac (no microphone)"


def is_demo(source: Source) -> bool:
    """Whether a source is the bundled recording, in place of a microphone."""
    return isinstance(source, Demo) or source.name == _DEMO_NAME


def open_source(
    options: SourceOptions,
    rate: int,
    *,
    reconnect: bool = True,
    or_demo: bool = False,
    endless: bool = False,
) -> AbstractContextManager[Source]:
    """The source according to the options, opened on entry.

    Args:
        options: the options.
        rate: sample rate of the blocks in Hz.
        reconnect: whether to wait for a microphone that was disconnected.
        or_demo: whether to replay a bundled recording if there is no microphone.
        endless: whether that recording is repeated.

    Raises:
        LiveSerError: options exclude each other.
    """
    if options.replay is not None:
        reading = options.reading()
        if is_pipe(options.replay):
            return piped(options.replay, rate, reading)
        return replay(options.replay, rate, options.speed, reading=reading)
    if options.track or options.raw or options.rate or options.partial:
        raise UsageError(
            "--track, --raw, --rate and --partial are for recordings", "name one: --from"
        )
    source = microphone(
        options.device,
        rate,
        channels=options.channels,
        channel=options.channel,
        each_channel=options.each_channel,
        names=options.names or (),
        reconnect=reconnect,
    )
    return _or_demo(source, rate, endless=endless) if or_demo else source


@contextmanager
def _or_demo(
    source: AbstractContextManager[Source], rate: int, *, endless: bool
) -> Iterator[Source]:
    """A microphone, or the bundled recording if there is none."""
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(source)
        except LiveSerError as error:
            say(f"live-ser: {error.message}; a bundled recording is replayed instead")
            demonstration = demo(rate) if endless else replay(DEMO, rate, name=_DEMO_NAME)
            opened = stack.enter_context(demonstration)
        yield opened
