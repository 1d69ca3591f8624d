"""Typed options that several commands have. Each command adds its own in ``Options``."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self, TypeVar

from live_ser.records.formats import STANDARD_OUTPUT, Style
from live_ser.records.new_file import Mode

if TYPE_CHECKING:
    from live_ser.audio.reading import Reading


@dataclass(frozen=True)
class CommonOptions:
    """Options of every command."""

    verbose: bool
    quiet: bool


@dataclass(frozen=True)
class ChannelOptions:
    """The number of channels, and the one to use."""

    channels: int | None
    channel: int | None


@dataclass(frozen=True)
class SoundOptions(ChannelOptions):
    """How to read a recording."""

    track: int | None
    raw: str | None
    rate: int | None

    def reading(self) -> Reading:
        """The options as a :class:`Reading`.

        Raises:
            InvalidArgument: options exclude each other.
        """
        from live_ser.audio.reading import reading_of

        return reading_of(
            channel=self.channel,
            track=self.track,
            raw=self.raw,
            rate=self.rate,
            channels=self.channels,
        )


@dataclass(frozen=True)
class VoiceOptions(SoundOptions):
    """How to classify a recording: its channels, and whether sound may be missing."""

    each_channel: bool
    names: str | None
    partial: bool

    def reading(self) -> Reading:
        """The options as a :class:`Reading`.

        Raises:
            InvalidArgument: options exclude each other.
        """
        how = super().reading()
        return replace(
            how, each_channel=self.each_channel, names=self.names or (), partial=self.partial
        )

    def check_one_speaker(self, *, profile: str | None, enroll: float | None = None) -> None:
        """Refuse options for one speaker with ``--each-channel``.

        Raises:
            UsageError: there is such an option.
        """
        if not self.each_channel or (profile is None and enroll is None):
            return
        from live_ser.cli.errors import UsageError

        option = "--enroll" if profile is None else "--profile"
        raise UsageError(
            f"{option} is for one speaker, and --each-channel classifies several",
            "leave one of them out; --channel K hears one speaker of them",
        )


@dataclass(frozen=True)
class SourceOptions(VoiceOptions):
    """The source of a session: a microphone, or a replayed recording."""

    device: str | None
    replay: str | None
    speed: float


@dataclass(frozen=True)
class AnalysisOptions:
    """The model, its settings, and the profile of the speaker."""

    model: str | None
    hop: float | None
    smoothing: float | None
    profile: str | None


@dataclass(frozen=True)
class RecordOptions:
    """The output of records."""

    format: Style | None
    output: str | None
    bom: bool
    force: bool

    def resolved(self, usual: Style) -> Self:
        """The same, with ``-o -`` replaced by standard output and a format."""
        if self.output != STANDARD_OUTPUT:
            return self
        return replace(self, output=None, format=self.format or usual)

    def mode(self) -> Mode:
        """What to do with existing records: refuse, or replace."""
        return "overwrite" if self.force else "new"


@dataclass(frozen=True)
class PublishingOptions:
    """Other programs that receive the predictions."""

    osc: str | None
    lsl: str | None


_Kind = TypeVar("_Kind", bound=CommonOptions)


def options_of(kind: type[_Kind], parsed: Namespace) -> _Kind:
    """The typed options of a command, from those that the parser read.

    Raises:
        AttributeError: the parser has no such option.
    """
    return kind(**{field.name: getattr(parsed, field.name) for field in fields(kind)})
