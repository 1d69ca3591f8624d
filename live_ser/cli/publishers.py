"""Where else the predictions of a session go: OSC, LSL."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from live_ser.extras import needed
from live_ser.live.background import Background
from live_ser.live.session import Session
from live_ser.spec import ModelInfo


def publishers_asked_for(arguments: Namespace, info: ModelInfo) -> Callable[[Session], None]:
    """What attaches to a session the sinks that publish it to other programs.

    Raises:
        LiveSerError: an address is not one, or a package is missing.
    """
    attached: list[Callable[[Session], None]] = []
    if arguments.osc is not None:
        from live_ser.server.osc import OscSink, address_of

        address = address_of(arguments.osc)
        attached.append(lambda session: session.sinks.attach(Background(OscSink(address))))
    if arguments.lsl is not None:
        needed("pylsl", "lsl")
        from live_ser.server.lsl import LslSink

        name, hop = arguments.lsl, arguments.hop or info.hop
        # In the thread of the session: it notes when sound comes, and never waits.
        attached.append(
            lambda session: session.sinks.attach(
                LslSink(name, info, hop, lambda: session.source.behind)
            )
        )

    def attach(session: Session) -> None:
        for one in attached:
            one(session)

    return attach
