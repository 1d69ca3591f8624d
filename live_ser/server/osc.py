"""Open Sound Control: a bundle of messages for each prediction, over UDP."""

from __future__ import annotations

import errno
import re
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.live.sink import Sink
from live_ser.records.record import Record, window_record

PREFIX = "/live-ser"
# There is no network, which may come back.
_PASSING = (
    *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN),
    *(errno.ENOBUFS, errno.EADDRNOTAVAIL),
)
_IMMEDIATELY = b"#bundle\x00" + struct.pack(">Q", 1)

Argument = str | int | float
Message = tuple[str, tuple[Argument, ...]]


class OscSink(Sink):
    """Sends each prediction by OSC.

    Args:
        address: host and port.

    Raises:
        LiveSerError: there is no such host.
    """

    skips = True

    def __init__(self, address: tuple[str, int]) -> None:
        host, port = address
        self.name = f"OSC to {host}, port {port}"
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:  # of a name that is too long for one
            why = getattr(error, "strerror", None) or "it is no name for one"
            raise LiveSerError(f"no host {host:.80}: {why}", "`osc=HOST:PORT`") from error
        # A name such as localhost often has both kinds; most receivers listen to IPv4 alone.
        family, kind, _, _, to = min(found, key=lambda one: one[0] != socket.AF_INET)
        self._to: tuple[Any, ...] = to
        self._socket = socket.socket(family, kind)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def begin(self, session: Record) -> None:
        """Send the labels, in the order of ``/live-ser/p``."""
        self._send([(f"{PREFIX}/labels", tuple(session["labels"]))])

    def window(self, prediction: Prediction) -> None:
        """Send a prediction."""
        self._send(messages(prediction))

    def mark(self, time: float) -> None:
        """Send a mark."""
        self._send([(f"{PREFIX}/mark", (time,))])

    def label(self, label: Label) -> None:
        """Send a label of the user, with the start and end of the utterance."""
        self._send([(f"{PREFIX}/said", (label.label or "", label.start, label.end))])

    def end(self, summary: Record) -> None:
        """Send the end of the session."""
        self._send([(f"{PREFIX}/state", ("end",))])

    def close(self, until: float = 0.0) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, content: Iterable[Message]) -> None:
        try:
            self._socket.sendto(bundle(content), self._to)
        except OSError as error:
            if not isinstance(error, ConnectionError) and error.errno not in _PASSING:
                raise


def messages(prediction: Prediction) -> Iterator[Message]:
    """The messages of a prediction, without those of missing values.

    If each channel is classified separately, the addresses contain its number.
    """
    record = window_record(prediction)
    prefix = PREFIX if prediction.channel is None else f"{PREFIX}/{prediction.channel}"
    yield f"{prefix}/time", (record["end"],)
    yield f"{prefix}/state", (record["state"],)
    yield f"{prefix}/label", (record["label"] or "",)
    yield f"{prefix}/level", (record["level_db"],)
    yield f"{prefix}/speech", (record["speech"],)
    if prediction.speaker is not None:
        yield f"{prefix}/speaker", (prediction.speaker,)
    prosody = record.get("prosody") or {}
    numbers = {**prosody, **{name: record.get(name) for name in _DECISION}}
    for name, value in numbers.items():
        if value is not None:
            yield f"{prefix}/{name}", (float(value),)
    probabilities = record["probabilities"] or {}
    for label, probability in probabilities.items():
        yield f"{prefix}/p/{_part(label)}", (probability,)


_DECISION = ("confidence", "activation", "valence")


def bundle(content: Iterable[Message]) -> bytes:
    """An OSC bundle of messages."""
    encoded = (message(address, *arguments) for address, arguments in content)
    return _IMMEDIATELY + b"".join(struct.pack(">i", len(one)) + one for one in encoded)


def message(address: str, *arguments: Argument) -> bytes:
    """An OSC message of strings, 32-bit integers and 32-bit floats."""
    tags = "".join(_tag(argument) for argument in arguments)
    return _string(address) + _string(f",{tags}") + b"".join(map(_encoded, arguments))


def address_of(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, or of ``PORT`` on this machine.

    Raises:
        InvalidArgument: it is something else.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise InvalidArgument(
            f"{text!r} is not the address of an OSC receiver", "`osc=127.0.0.1:9000`"
        )
    return host.strip("[]") or "127.0.0.1", int(port)


def _part(text: str) -> str:
    """A part of an address; what has a meaning in patterns is replaced."""
    return re.sub(r"[\s#*,/?\[\]{}]", "_", text)


def _tag(argument: Argument) -> str:
    return "s" if isinstance(argument, str) else "i" if isinstance(argument, int) else "f"


def _encoded(argument: Argument) -> bytes:
    if isinstance(argument, str):
        return _string(argument)
    return struct.pack(">i" if isinstance(argument, int) else ">f", argument)


def _string(text: str) -> bytes:
    """An OSC string: zero-terminated, padded to a multiple of four; UTF-8 where it is not ASCII."""
    data = text.encode("utf-8", "replace").replace(b"\x00", b"") + b"\x00"
    return data + b"\x00" * (-len(data) % 4)
