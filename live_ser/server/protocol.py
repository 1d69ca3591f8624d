"""Messages of ``/v1/stream`` and ``/v1/live``: what a client may send, errors, close codes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from live_ser.audio.raw_sound import RAW_EXAMPLE, TELEPHONE_RATE, RawFormat
from live_ser.errors import LiveSerError
from live_ser.records.record import Record

ENCODINGS = {"s16le": 2, "f32le": 4, "mulaw": 1}  # bytes of a sample
LOWEST_RATE, HIGHEST_RATE = 8000, 48_000  # Hz
MOST_CHANNELS = 8
LONGEST_NAME = 200  # characters
MESSAGE_BYTES = 1 << 20  # of a message at most
TEXT_BYTES = 4096  # of a message of text at most

# Close codes of WebSockets; those from 4000 on are application-specific.
DONE = 1000
GOING_AWAY = 1001
INTERNAL = 1011
BUSY = 1013
REFUSED = 4400
IDLE = 4408
SLOW = 4409


class ProtocolError(Exception):
    """A client sent an invalid message.

    Args:
        code: error code, such as ``bad_start``.
        message: one line: what is wrong.
        hint: one line: what to try; may be empty.
        close: close code of the connection.
    """

    def __init__(self, code: str, message: str, hint: str = "", close: int = REFUSED) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.close = code, message, hint, close

    def record(self) -> Record:
        """The error as a message."""
        return error_record(self.code, self.message, self.hint)


def error_record(code: str, message: str, hint: str = "") -> Record:
    """An error message for a client.

    Args:
        code: error code.
        message: one line: what is wrong.
        hint: one line: what to try; arguments of the library in it become parameters.
    """
    hint = re.sub(r"`([^`]*)`", _parameter, hint)
    return {"type": "error", "code": code, "message": message, "hint": hint}


def note_record(message: str) -> Record:
    """A message that a client should know, and that ends nothing."""
    return {"type": "note", "message": message}


def _parameter(argument: re.Match[str]) -> str:
    text = "raw=s16le&rate=8000&channels=1" if f"`{argument[1]}`" == RAW_EXAMPLE else argument[1]
    return text.removesuffix("=True") + "=true" if text.endswith("=True") else text


@dataclass(frozen=True)
class Start:
    """The first message of a stream: the encoding of the sound, and settings.

    Attributes:
        encoding: ``s16le``, ``f32le`` or ``mulaw``.
        rate: sample rate in Hz, from 8000 to 48000.
        channels: number of interleaved channels, from 1 to 8.
        channel: the channel to use, from 1; None for the mean.
        each_channel: whether each channel is classified separately.
        names: names of the speakers of the channels, with ``each_channel``.
        hop: seconds between predictions; None for the model's default.
        smoothing: time constant in seconds; None for the default.
        profile: name of the speaker's profile; None for none.
        turns: whether the client will request verdicts on turns.
        source: name of the stream in records.
    """

    encoding: str = "s16le"
    rate: int = TELEPHONE_RATE
    channels: int = 1
    channel: int | None = None
    each_channel: bool = False
    names: Sequence[str] = ()
    hop: float | None = None
    smoothing: float | None = None
    profile: str | None = None
    turns: bool = False
    source: str = "stream"

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Start:
        """Check the first message of a stream; null fields are ignored.

        Raises:
            ProtocolError: a field is missing, unknown or out of its range.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(message) - known - {"type"}):
            raise ProtocolError(
                "bad_start", f"unknown field {unknown[0]!r:.60}", f"one of {', '.join(known)}"
            )
        given = {name: message[name] for name in known & set(message) if message[name] is not None}
        encoding = given.get("encoding", cls.encoding)
        if not isinstance(encoding, str) or encoding not in ENCODINGS:
            raise ProtocolError(
                "bad_start", f"unknown encoding {encoding!r:.60}", f"one of {', '.join(ENCODINGS)}"
            )
        if "rate" not in given and encoding != "mulaw":
            raise ProtocolError("bad_start", "rate is missing", "give the sample rate in Hz")
        _check(given, "rate", int, LOWEST_RATE, HIGHEST_RATE)
        _check(given, "channels", int, 1, MOST_CHANNELS)
        _check(given, "channel", int, 1, given.get("channels", 1))
        _check(given, "hop", float, 0, 3600)
        _check(given, "smoothing", float, 0, 3600)
        for name in ("profile", "source"):
            text = given.get(name)
            if text is not None and not (isinstance(text, str) and 0 < len(text) <= LONGEST_NAME):
                raise ProtocolError("bad_start", f"{name} is not a name: {text!r:.60}")
        for name in ("turns", "each_channel"):
            if not isinstance(given.get(name, False), bool):
                raise ProtocolError("bad_start", f"{name} is not true or false")
        _check_names(given.get("names", []))
        if given.get("each_channel") and given.get("profile") is not None:
            raise ProtocolError(
                "bad_start", "a profile is for one speaker", "leave out each_channel, or profile"
            )
        return cls(**given)

    @property
    def format(self) -> RawFormat:
        """The format of the samples."""
        return RawFormat(self.encoding, self.rate, self.channels)


def _check_names(names: object) -> None:
    """Check the names of speakers, if given."""
    if not isinstance(names, list) or not all(
        isinstance(name, str) and 0 < len(name) <= LONGEST_NAME for name in names
    ):
        raise ProtocolError("bad_start", "names is not a list of names", '["agent", "caller"]')


def _check(given: Mapping[str, Any], name: str, kind: type, minimum: float, maximum: float) -> None:
    """Check the range of a number, if given."""
    value = given.get(name)
    if value is None:
        return
    is_number = isinstance(value, int) or (kind is float and isinstance(value, float))
    if isinstance(value, bool) or not is_number or not minimum <= value <= maximum:
        raise ProtocolError(
            "bad_start", f"{name} is {value!r:.60}", f"a number from {minimum:g} to {maximum:g}"
        )


def parsed(text: str) -> dict[str, Any]:
    """A message of text: a JSON object with a ``type``.

    Raises:
        ProtocolError: it is something else.
    """
    if len(text) > TEXT_BYTES:
        raise ProtocolError("bad_message", f"a message of more than {TEXT_BYTES} characters")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("bad_message", "a message is not JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ProtocolError("bad_message", "a message is not an object with a type")
    return message


def unknown(message: Mapping[str, Any], known: tuple[str, ...]) -> ProtocolError:
    """The error for a message of an unknown type."""
    return ProtocolError(
        "bad_message", f"unknown type {message['type']!r:.60}", f"one of {', '.join(known)}"
    )


def refusal(error: LiveSerError, code: str) -> ProtocolError:
    """An error of the library as an error of the protocol."""
    return ProtocolError(code, error.message, error.hint)
