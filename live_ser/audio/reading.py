"""How a recording is read: what of it is heard, and what its bytes mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from live_ser.audio.raw_sound import RAW_EXAMPLE, TELEPHONE, TELEPHONE_RATE, RawFormat
from live_ser.errors import InvalidArgument


@dataclass(frozen=True)
class Reading:
    """How a recording is read.

    Attributes:
        channel: the one to hear, from 1; None for their mean, or one of them where that is lost.
        track: of a container, the one to hear, from 1; None for the one marked default.
        raw: what the bytes of sound without a header mean.
        partial: whether to judge what there is where sound is missing.

    Raises:
        InvalidArgument: there is no such channel or track.
    """

    channel: int | None = None
    track: int | None = None
    raw: RawFormat | None = None
    partial: bool = False

    def __post_init__(self) -> None:
        for name, value in (("channel", self.channel), ("track", self.track)):
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidArgument(f"{name}: there is none of number {value!r}", "count from 1")

    def words(self) -> list[str]:
        """What differs from the usual way, each in words."""
        told = [f"channel {self.channel}"] if self.channel else []
        told += [f"track {self.track}"] if self.track else []
        if self.raw:
            told.append(f"raw {self.raw.encoding} {self.raw.rate} Hz x {self.raw.channels}")
        return told + ["partial"] * self.partial


class ReadingOptions(TypedDict, total=False):
    """How a recording is read, as keywords: those of :class:`Reading`."""

    channel: int | None
    track: int | None
    raw: RawFormat | None
    partial: bool


USUAL = Reading()


def reading_of(
    *,
    channel: int | None = None,
    track: int | None = None,
    raw: str | None = None,
    rate: int | None = None,
    channels: int | None = None,
    partial: bool = False,
) -> Reading:
    """How a recording is read, from plain values as options and queries have them.

    Args:
        channel: the one to hear, from 1.
        track: the one to hear, from 1.
        raw: encoding of sound without a header.
        rate: of sound without a header, in Hz.
        channels: of sound without a header.
        partial: whether to judge what there is where sound is missing.

    Raises:
        InvalidArgument: they do not go together.
    """
    if raw is None and (rate is not None or channels is not None):
        name = "rate" if rate is not None else "channels"
        raise InvalidArgument(
            f"{name}: it says what sound without a header is", f"as in {RAW_EXAMPLE}"
        )
    if raw is None:
        return Reading(channel, track, partial=partial)
    if rate is None and raw not in TELEPHONE:
        raise InvalidArgument(f"raw: {raw} without its rate", f"as in {RAW_EXAMPLE}")
    return Reading(channel, track, RawFormat(raw, rate or TELEPHONE_RATE, channels or 1), partial)
