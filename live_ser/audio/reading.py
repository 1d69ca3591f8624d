"""How to read a recording: channels, track, raw format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from live_ser.audio.counts import checked_count
from live_ser.audio.raw_sound import RAW_EXAMPLE, TELEPHONE, TELEPHONE_RATE, RawFormat
from live_ser.errors import InvalidArgument


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Check names of speakers, and strip them.

    Raises:
        InvalidArgument: a name is empty, or not unique.
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
    """How to read a recording.

    Attributes:
        channel: the channel to use, from 1; None for the mean, or for one of them where they cancel
            each other out.
        track: the track of a container, from 1; None for the default track.
        raw: format of samples without a header.
        partial: accept recordings with missing sound.
        each_channel: whether each channel is classified separately.
        names: names of the speakers of the channels, with ``each_channel``.

    Raises:
        InvalidArgument: a value is invalid, or two exclude each other.
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
        if self.raw is not None and not isinstance(self.raw, RawFormat):
            raise InvalidArgument(f"raw: {self.raw!r:.60} is no format", f"as in {RAW_EXAMPLE}")
        for name, value in (("channel", self.channel), ("track", self.track)):
            if value is not None:
                object.__setattr__(self, name, checked_count(name, value))

    def words(self) -> list[str]:
        """The settings that differ from the defaults, in words."""
        words = [f"channel {self.channel}"] if self.channel else []
        words += ["each channel"] if self.each_channel else []
        words += [f"names {' '.join(self.names)}"] if self.names else []
        words += [f"track {self.track}"] if self.track else []
        if self.raw:
            words.append(f"raw {self.raw.encoding} {self.raw.rate} Hz x {self.raw.channels}")
        return words + ["partial"] * self.partial


class ReadingOptions(TypedDict, total=False):
    """How to read a recording, as keywords; see :class:`Reading`."""

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
    """A :class:`Reading` from plain values, such as command-line options.

    Args:
        channel: the channel to use, from 1.
        track: the track of a container, from 1.
        raw: encoding of samples without a header.
        rate: sample rate of samples without a header in Hz.
        channels: number of channels of samples without a header.
        partial: accept recordings with missing sound.
        each_channel: whether each channel is classified separately.
        names: names of the speakers of the channels, with ``each_channel``.

    Raises:
        InvalidArgument: a value is invalid, or two exclude each other.
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
