"""Sinks that send the predictions of a session to other programs: OSC, LSL."""

from __future__ import annotations

from collections.abc import Callable

from live_ser.extras import needed
from live_ser.live.background import Background
from live_ser.live.session import Session
from live_ser.spec import ModelInfo


def publishers(
    osc: str | None, lsl: str | None, info: ModelInfo, hop: float | None
) -> Callable[[Session], None]:
    """A function that attaches such sinks to a session.

    Args:
        osc: address of a receiver of OSC, if any.
        lsl: name of a stream in the Lab Streaming Layer, if any.
        info: metadata of the model.
        hop: seconds between predictions; None for the model's default.

    Raises:
        LiveSerError: an address is invalid, or a package is missing.
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
        # In the thread of the session, as it needs the times of arrival; it never blocks.
        attached.append(
            lambda session: session.sinks.attach(
                LslSink(lsl, info, seconds, lambda: session.source.behind, session.source.voices)
            )
        )

    def attach(session: Session) -> None:
        for one in attached:
            one(session)

    return attach
