"""Options that several commands have, typed. Each command adds its own: its ``Options``."""

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
    """What every command takes."""

    verbose: bool
    quiet: bool


@dataclass(frozen=True)
class ChannelOptions:
    """How many channels there are, and which one is used."""

    channels: int | None
    channel: int | None


@dataclass(frozen=True)
class SoundOptions(ChannelOptions):
    """How a recording is read."""

    track: int | None
    raw: str | None
    rate: int | None

    def reading(self) -> Reading:
        """The same, as what reads sound takes it.

        Raises:
            InvalidArgument: they do not go together.
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
    """What is classified of a recording: each channel, and what there is where sound is missing."""

    each_channel: bool
    names: str | None
    partial: bool

    def reading(self) -> Reading:
        """How recordings are read.

        Raises:
            InvalidArgument: the options do not go together.
        """
        how = super().reading()
        return replace(
            how, each_channel=self.each_channel, names=self.names or (), partial=self.partial
        )

    def check_one_speaker(self, *, profile: str | None, enroll: float | None = None) -> None:
        """Refuse what is of one speaker, where several are classified.

        Raises:
            UsageError: it is asked for.
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
    """The sound of a session: a microphone, or a recording that is replayed."""

    device: str | None
    replay: str | None
    speed: float


@dataclass(frozen=True)
class AnalysisOptions:
    """The model, how often it classifies, and whose voice it hears."""

    model: str | None
    hop: float | None
    smoothing: float | None
    profile: str | None


@dataclass(frozen=True)
class RecordOptions:
    """Where records are written, and how."""

    format: Style | None
    output: str | None
    bom: bool
    force: bool

    def resolved(self, usual: Style) -> Self:
        """The same, with ``-o -`` taken for what it means: nothing else on standard output."""
        if self.output != STANDARD_OUTPUT:
            return self
        return replace(self, output=None, format=self.format or usual)

    def mode(self) -> Mode:
        """What becomes of records that are there: refused, or replaced."""
        return "overwrite" if self.force else "new"


@dataclass(frozen=True)
class PublishingOptions:
    """Other programs that get the predictions."""

    osc: str | None
    lsl: str | None


_Kind = TypeVar("_Kind", bound=CommonOptions)


def options_of(kind: type[_Kind], parsed: Namespace) -> _Kind:
    """The options of a command, of what the parser read.

    Raises:
        AttributeError: the parser has no such option.
    """
    return kind(**{field.name: getattr(parsed, field.name) for field in fields(kind)})
