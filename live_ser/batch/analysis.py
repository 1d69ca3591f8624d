"""The settings of a batch analysis, and how records state them, so that it can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from live_ser.audio.reading import USUAL as USUAL_READING
from live_ser.audio.reading import Reading
from live_ser.batch.paths import key_of
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.inference.settings import Settings
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.record import Record
from live_ser.records.turn_files import TurnFiles


@dataclass(frozen=True)
class Analysis:
    """The settings of the analysis of recordings.

    Attributes:
        hop: seconds between windows; None for the model's default.
        smoothing: time constant of windows in seconds; None for the default.
        timeline: whether to give windows.
        segments: whether to give utterances.
        reading: how to read recordings.
        at: intervals to classify instead of utterances; None for none.

    Raises:
        InvalidArgument: settings exclude each other.
    """

    hop: float | None = None
    smoothing: float | None = None
    timeline: bool = False
    segments: bool = False
    reading: Reading = USUAL_READING
    at: TurnFiles | None = None

    def __post_init__(self) -> None:
        if self.at is None:
            return
        given = {"timeline": self.timeline, "each_channel": self.reading.each_channel}
        for name in (name for name, is_given in given.items() if is_given):
            raise InvalidArgument(
                f"{name}: intervals are given, and only those are classified", "leave it out"
            )

    def description(self, model: EmotionModel) -> str:
        """The settings in words, as in the records of clips, with a digest of the model's file.

        Raises:
            InvalidArgument: ``hop`` or ``smoothing`` is out of range.
        """
        digest = blake2b(model.path.read_bytes(), digest_size=6).hexdigest()
        settings = Settings.checked(model.info, self.hop, self.smoothing)
        words = [f"{model.info.name} {digest}"]
        if model.known is not None and model.known.profile:
            words.append(f"profile {model.known.profile}")
        words += [f"hop {settings.hop:g}", f"smoothing {settings.smoothing:g}"]
        words += ["timeline"] * self.timeline + ["segments"] * self.segments
        words += [self.at.words()] if self.at else []
        return ", ".join([*words, *self.reading.words()])


USUAL = Analysis()


class Stamp:
    """Adds the source, its key and the settings to the records of a recording.

    Args:
        source: path or address of the recording.
        settings: the settings in words.
    """

    def __init__(self, source: str, settings: str) -> None:
        self._origin = {"source": source, "key": key_of(source)}
        self._clip = {"source": source, "judged_with": settings, "key": self._origin["key"]}

    def on(self, record: Record) -> Record:
        """The record with these fields."""
        return {**record, **(self._clip if record["type"] == "clip" else self._origin)}


def finished_key(output: str, clip: Record, settings: str) -> str:
    """The key of the recording of a clip in an output that is resumed.

    Args:
        output: path of the output.
        clip: record of the clip; old records have no key.
        settings: the current settings in words.

    Raises:
        LiveSerError: the output was started with other options.
    """
    before = clip.get("judged_with")
    if before and before != settings:
        raise LiveSerError(
            f"{output} was begun with other options: {before}; and not {settings}",
            "give the options that it was begun with, or name another output",
        )
    key: str | None = clip.get("key")
    return key or key_of(clip["source"])
