"""How a recording is read: what of it is heard, and what its bytes mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from live_ser.audio.raw_sound import RAW_EXAMPLE, TELEPHONE, TELEPHONE_RATE, RawFormat
from live_ser.errors import InvalidArgument


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of speakers, each another one, without blanks at their ends.

    Raises:
        InvalidArgument: one is empty, or there twice.
    """
    if isinstance(names, str):
        names = names.split(",")
    stripped = tuple(str(name).strip() for name in names)
    if "" in stripped:
        raise InvalidArgument("names: one of them is empty", "give one for each channel")
    if len(set(stripped)) < len(stripped):
        raise InvalidArgument("names: two of them are the same", "give each channel its own")
    return stripped


@dataclass(frozen=True)
class Reading:
    """How a recording is read.

    Attributes:
        channel: the one to hear, from 1; None for their mean, or one of them where that is lost.
        track: of a container, the one to hear, from 1; None for the one marked default.
        raw: what the bytes of sound without a header mean.
        partial: whether to classify what there is where sound is missing.
        each_channel: whether each channel is classified separately.
        names: of who speaks in each channel then; none where nobody says it.

    Raises:
        InvalidArgument: there is no such channel or track, or they do not go together.
    """

    channel: int | None = None
    track: int | None = None
    raw: RawFormat | None = None
    partial: bool = False
    each_channel: bool = False
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", checked_names(self.names))
        if self.each_channel and self.channel is not None:
            raise InvalidArgument(
                f"channel: each is classified separately, not {self.channel} alone", "leave one out"
            )
        if self.names and not self.each_channel:
            raise InvalidArgument(
                "names: they say who speaks in each channel", "`each_channel=True`"
            )
        for name, value in (("channel", self.channel), ("track", self.track)):
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidArgument(f"{name}: there is none of number {value!r}", "count from 1")

    def words(self) -> list[str]:
        """What differs from the usual way, each in words."""
        words = [f"channel {self.channel}"] if self.channel else []
        words += ["each channel"] if self.each_channel else []
        words += [f"names {' '.join(self.names)}"] if self.names else []
        words += [f"track {self.track}"] if self.track else []
        if self.raw:
            words.append(f"raw {self.raw.encoding} {self.raw.rate} Hz x {self.raw.channels}")
        return words + ["partial"] * self.partial


class ReadingOptions(TypedDict, total=False):
    """How a recording is read, as keywords: those of :class:`Reading`."""

    channel: int | None
    track: int | None
    raw: RawFormat | None
    partial: bool
    each_channel: bool
    names: Sequence[str]


USUAL = Reading()


def reading_of(
    *,
    channel: int | None = None,
    track: int | None = None,
    raw: str | None = None,
    rate: int | None = None,
    channels: int | None = None,
    partial: bool = False,
    each_channel: bool = False,
    names: Sequence[str] = (),
) -> Reading:
    """How a recording is read, from plain values as options and queries have them.

    Args:
        channel: the one to hear, from 1.
        track: the one to hear, from 1.
        raw: encoding of sound without a header.
        rate: of sound without a header, in Hz.
        channels: of sound without a header.
        partial: whether to classify what there is where sound is missing.
        each_channel: whether each channel is classified separately.
        names: of who speaks in each channel then.

    Raises:
        InvalidArgument: they do not go together.
    """
    if raw is None and (rate is not None or channels is not None):
        name = "rate" if rate is not None else "channels"
        raise InvalidArgument(
            f"{name}: it says what sound without a header is", f"as in {RAW_EXAMPLE}"
        )
    if raw is None:
        return Reading(channel, track, None, partial, each_channel, names)
    if rate is None and raw not in TELEPHONE:
        raise InvalidArgument(f"raw: {raw} without its rate", f"as in {RAW_EXAMPLE}")
    form = RawFormat(
        raw, TELEPHONE_RATE if rate is None else rate, 1 if channels is None else channels
    )
    return Reading(channel, track, form, partial, each_channel, names)
