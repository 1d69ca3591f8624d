"""Where else the predictions of a session go: OSC, LSL."""

from __future__ import annotations

from collections.abc import Callable

from live_ser.extras import needed
from live_ser.live.background import Background
from live_ser.live.session import Session
from live_ser.spec import ModelInfo


def publishers(
    osc: str | None, lsl: str | None, info: ModelInfo, hop: float | None
) -> Callable[[Session], None]:
    """What attaches to a session the sinks that publish it to other programs.

    Args:
        osc: address of a program that receives OSC, if there is one.
        lsl: name of a stream in the Lab Streaming Layer, if there is one.
        info: of the model.
        hop: seconds between predictions; the model's own if None.

    Raises:
        LiveSerError: an address is not one, or a package is missing.
    """
    attached: list[Callable[[Session], None]] = []
    if osc is not None:
        from live_ser.server.osc import OscSink, address_of

        address = address_of(osc)
        attached.append(lambda session: session.sinks.attach(Background(OscSink(address))))
    if lsl is not None:
        needed("pylsl", "lsl")
        from live_ser.server.lsl import LslSink

        seconds = hop or info.hop
        # In the thread of the session: it notes when sound comes, and never waits.
        attached.append(
            lambda session: session.sinks.attach(
                LslSink(lsl, info, seconds, lambda: session.source.behind, session.source.voices)
            )
        )

    def attach(session: Session) -> None:
        for one in attached:
            one(session)

    return attach
