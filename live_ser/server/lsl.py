"""Lab Streaming Layer: predictions as a stream, with the times of the sound."""

from __future__ import annotations

import math
import platform
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import pylsl

from live_ser import __version__
from live_ser.audio.blocks import Gap, Samples, Voice
from live_ser.errors import InvalidArgument
from live_ser.inference.labelling import Label
from live_ser.inference.results import Prediction
from live_ser.live.sink import Sink
from live_ser.records.record import Record, window_record
from live_ser.spec import ModelInfo
from live_ser.text import printable

_REMEMBERED = 100  # blocks: five seconds of them

# Fields of a window's record, and their units.
_DECISION = {"confidence": "", "activation": "", "valence": "", "speech": "", "level_db": "dB"}
_PROSODY = {
    **{"pitch": "Hz", "pitch_semitones": "semitones", "loudness": "dB", "rate": "1/s"},
    **{"pauses": "", "pitch_change": "semitones", "loudness_change": "dB", "rate_change": ""},
}


class LslSink(Sink):
    """Publishes a session as two streams: numbers at a regular rate, and markers.

    The time stamp of a sample is the end of its window by the clock of LSL. Channels without a
    value are NaN.

    Args:
        name: name of the stream; that of the markers ends in ``-markers``.
        info: metadata of the model.
        hop: seconds between predictions.
        behind: function that returns the seconds from the newest sound that was yielded to now.
        voices: the voices; each has a stream of numbers, whose name ends with that of the voice.
            Empty for a single voice.

    Raises:
        InvalidArgument: the name is empty.
    """

    def __init__(
        self,
        name: str,
        info: ModelInfo,
        hop: float,
        behind: Callable[[], float],
        voices: Sequence[Voice] = (),
    ) -> None:
        name = printable(name).strip()  # others read it in XML
        if not name:
            raise InvalidArgument("lsl: a stream needs a name", "`lsl=NAME`, or leave the name out")
        self.name = f"the LSL stream {name}"
        self._rate, self._behind = info.features.sample_rate, behind
        self._labels = info.labels
        self._position = 0.0  # seconds from the start of the source to its newest sound
        # Clock of LSL minus position. A block may come late, but never early.
        self._offsets: deque[float] = deque(maxlen=_REMEMBERED)
        self._newest: dict[Voice, str] = {}
        channels = [*_DECISION.items(), *_PROSODY.items()]
        channels += [(f"p_{label}", "") for label in info.labels]
        self._numbers = {
            voice: pylsl.StreamOutlet(
                _numbers_info(f"{name}-{printable(voice.name)}".strip("-"), info, hop, channels)
            )
            for voice in voices or (Voice(),)
        }
        self._markers = pylsl.StreamOutlet(_markers_info(f"{name}-markers"))

    def block(self, samples: Samples) -> None:
        """Update the clock by the arrival of a block."""
        if not len(samples):
            return
        self._position += len(samples) / self._rate
        self._offsets.append(pylsl.local_clock() - self._behind() - self._position)

    def gap(self, start: float, gap: Gap) -> None:
        """Skip a gap."""
        self._position += gap.seconds
        self._mark(f"gap:{gap.reason}", start)

    def window(self, prediction: Prediction) -> None:
        """Publish a prediction, and a marker if its label or state changed."""
        record = window_record(prediction)
        voice = Voice(prediction.channel, prediction.speaker)
        self._numbers[voice].push_sample(
            [math.nan if value is None else value for value in self._values(record)],
            self._time(prediction.end),
        )
        text = record["state"] + (f":{record['label']}" if record["label"] else "")
        if text != self._newest.get(voice):
            self._newest[voice] = text
            self._mark(":".join(filter(None, [voice.name, text])), prediction.end)

    def mark(self, time: float) -> None:
        """Publish a marker for a mark of the user."""
        self._mark("mark", time)

    def label(self, label: Label) -> None:
        """Publish a marker at the end of an utterance that the user labelled."""
        self._mark(f"said:{label.label or 'nothing'}", label.end)

    def key(self, key: str) -> None:
        """Publish a marker for a key."""
        if key.isprintable():
            self._mark(f"key:{key}", self._position)

    def end(self, summary: Record) -> None:
        """Publish a marker for the end."""
        self._mark("end", self._position)

    def _mark(self, text: str, time: float) -> None:
        self._markers.push_sample([printable(text)], self._time(time))

    def _time(self, seconds: float) -> float:
        """A time of the source by the clock of LSL."""
        if not self._offsets:
            return float(pylsl.local_clock())
        return min(self._offsets) + seconds

    def _values(self, record: Record) -> Iterator[float | None]:
        prosody = record.get("prosody") or {}
        probabilities = record["probabilities"] or {}
        yield from (record.get(name) for name in _DECISION)
        yield from (prosody.get(name) for name in _PROSODY)
        yield from (probabilities.get(label) for label in self._labels)


def _numbers_info(
    name: str, info: ModelInfo, hop: float, channels: list[tuple[str, str]]
) -> pylsl.StreamInfo:
    """The description of the stream of numbers, with names and units of its channels."""
    made = pylsl.StreamInfo(
        name, "Emotion", len(channels), 1 / hop, pylsl.cf_float32, _identity(name)
    )
    about = made.desc()
    about.append_child_value("manufacturer", f"live-ser {__version__}")
    about.append_child_value("model", info.name)
    listed = about.append_child("channels")
    for label, unit in channels:
        channel = listed.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit or "none")
    return made


def _markers_info(name: str) -> pylsl.StreamInfo:
    """The description of the stream of markers."""
    kind, rate = pylsl.cf_string, pylsl.IRREGULAR_RATE
    return pylsl.StreamInfo(name, "Markers", 1, rate, kind, _identity(name))


def _identity(name: str) -> str:
    """By which receivers know a stream that comes back; another machine has another."""
    return f"live-ser-{platform.node()}-{name}"
