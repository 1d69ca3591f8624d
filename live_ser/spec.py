"""What a model file says of itself: the features that it wants and the labels that it gives.

The model file is the contract. Everything that the runtime has to know travels as metadata of the
``.onnx`` file, as JSON; no feature constant stands in the code.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.errors import ModelError

SCHEMA = 1
METADATA_KEY = "live_ser"


@dataclass(frozen=True)
class FeatureSpec:
    """Log-mel frames, as ``live_ser.frontend.features`` computes them.

    Attributes:
        sample_rate: of the mono signal, in Hz.
        n_fft: samples that a frame covers.
        win_length: samples under the Hann window, centred in the frame; at most ``n_fft``.
        hop_length: samples from one frame to the next.
        n_mels: mel bands.
        fmin: lower edge of the lowest band, in Hz.
        fmax: upper edge of the highest band, in Hz; at most half the sample rate.
        amin: power under which decibels are cut off.
        mel_basis: float32 ``[n_mels, 1 + n_fft // 2]``, packed by :func:`pack_matrix`. It is
            computed where the model is exported, so that the runtime needs no filter design.
    """

    sample_rate: int
    n_fft: int
    win_length: int
    hop_length: int
    n_mels: int
    fmin: float
    fmax: float
    amin: float
    mel_basis: str

    def __post_init__(self) -> None:
        if not 1000 <= self.sample_rate <= 400_000:
            raise ValueError(f"sample_rate {self.sample_rate} is not between 1000 and 400000 Hz")
        if not 16 <= self.n_fft <= 65536:
            raise ValueError(f"n_fft {self.n_fft} is not between 16 and 65536")
        if not 1 <= self.win_length <= self.n_fft:
            raise ValueError(f"win_length {self.win_length} is not between 1 and n_fft")
        if not 1 <= self.hop_length <= self.n_fft:
            raise ValueError(f"hop_length {self.hop_length} is not between 1 and n_fft")
        if not 1 <= self.n_mels <= 1024:
            raise ValueError(f"n_mels {self.n_mels} is not between 1 and 1024")
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(f"no band from {self.fmin} to {self.fmax} Hz at this sample rate")
        if not 0 < self.amin < 1:
            raise ValueError(f"amin {self.amin} is not between 0 and 1")
        shape = (self.n_mels, 1 + self.n_fft // 2)
        if self.mel_matrix.shape != shape:
            raise ValueError(f"mel_basis is {self.mel_matrix.shape}, not {shape}")

    @cached_property
    def mel_matrix(self) -> NDArray[np.float32]:
        """The filter bank, float32 ``[n_mels, 1 + n_fft // 2]``."""
        return unpack_matrix(self.mel_basis, columns=1 + self.n_fft // 2, rows=self.n_mels)

    def frames_in(self, samples: int) -> int:
        """How many whole frames lie within so many samples."""
        return max(0, 1 + (samples - self.n_fft) // self.hop_length)


@dataclass(frozen=True)
class GateSpec:
    """When sound counts as speech.

    Attributes:
        threshold: speech probability from which a moment counts as speech, 0 to 1.
        floor_db: level in dB re full scale (RMS) under which nothing is speech.
        trim: whether the network is given a window cut to its speech (first to last moment of
            it) or the whole window.
        min_speech: seconds of speech in a window under which it is not classified.
        onset: the same while an utterance goes on, of which more is soon heard.
    """

    threshold: float
    floor_db: float
    trim: bool
    min_speech: float
    onset: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"speech threshold {self.threshold} is not between 0 and 1")
        if not -200 <= self.floor_db <= 0:
            raise ValueError(f"floor_db {self.floor_db} is not between -200 and 0")
        if not 0 <= self.min_speech <= 60:
            raise ValueError(f"min_speech {self.min_speech} s is not between 0 and 60 s")
        if not 0 <= self.onset <= 60:
            raise ValueError(f"onset {self.onset} s is not between 0 and 60 s")

    def enough(self, *, over: bool) -> float:
        """Seconds of speech that a prediction of an utterance takes.

        Args:
            over: whether the utterance has ended.
        """
        return self.min_speech if over else max(self.min_speech, self.onset)


@dataclass(frozen=True)
class BaselineSpec:
    """How a speaker's baseline is made, for a model that measures voices against one.

    Attributes:
        size: numbers that tell a voice.
        typical: seconds of speech that a typical voice, zeros, counts for beside the speaker's.
        memory: seconds of speech after which older speech counts for less.
        offsets: float32 ``[labels, size]``, packed by :func:`pack_matrix`: what each emotion adds
            to a voice.
    """

    size: int
    typical: float
    memory: float
    offsets: str

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 65536:
            raise ValueError(f"a baseline of {self.size} numbers is not between 1 and 65536")
        if not 0 < self.typical <= self.memory <= 1e6:
            raise ValueError(
                f"a typical voice of {self.typical} s and a memory of {self.memory} s cannot be"
            )


@dataclass(frozen=True)
class ModelInfo:
    """A model's own card, as it travels in the model file.

    Attributes:
        name: what the model is called.
        labels: emotions, in the order of the network's output.
        window: seconds that one prediction hears at most.
        hop: seconds between predictions, unless the user says otherwise.
        features: of the network's input.
        gate: when sound counts as speech.
        abstain: confidence under which the state is ``uncertain``, 0 to 1.
        licence: SPDX name of the weights' licence.
        offset: seconds left out at the start of a clip, for a model that was trained so and hears
            where in its window something is; a live stream has no start to leave out.
        baseline: how the speaker's baseline is made; None for a model that takes none.
        provenance: corpora, speakers, protocol, figures, revision, versions; free in form.
    """

    name: str
    labels: tuple[str, ...]
    window: float
    hop: float
    features: FeatureSpec
    gate: GateSpec
    abstain: float
    licence: str
    offset: float = 0.0
    baseline: BaselineSpec | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels are fewer than two, or not distinct")
        if not 0.1 <= self.window <= 60:
            raise ValueError(f"window {self.window} s is not between 0.1 and 60 s")
        if not 0.01 <= self.hop <= self.window:
            raise ValueError(f"hop {self.hop} s is not between 0.01 s and the window")
        if not 0 <= self.offset <= 60:
            raise ValueError(f"offset {self.offset} s is not between 0 and 60 s")
        if not 0 <= self.abstain <= 1:
            raise ValueError(f"abstain {self.abstain} is not between 0 and 1")
        if self.baseline and self.offset_matrix.shape != (len(self.labels), self.baseline.size):
            raise ValueError("offsets are not a row for each label")

    @cached_property
    def offset_matrix(self) -> NDArray[np.float32]:
        """What each emotion adds to a voice, float32 ``[labels, size]``."""
        assert self.baseline is not None
        size = self.baseline.size
        return unpack_matrix(self.baseline.offsets, rows=len(self.labels), columns=size)

    def to_json(self) -> str:
        """The metadata of the model file."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelInfo:
        """Read the metadata of a model file.

        Raises:
            ModelError: it is not of this schema, or says what cannot be.
        """
        try:
            data = json.loads(text)
            if not isinstance(data, dict):
                raise ValueError("it is not an object")
            schema = data.pop("schema", None)
            if schema != SCHEMA:
                raise ModelError(
                    f"the model's metadata has schema {schema!r:.40}; this live-ser reads {SCHEMA}",
                    "take a model and a live-ser of the same time",
                )
            features: FeatureSpec = _build(FeatureSpec, data.pop("features"))
            gate: GateSpec = _build(GateSpec, data.pop("gate"))
            against = data.pop("baseline", None)
            baseline: BaselineSpec | None = against and _build(BaselineSpec, against)
            labels = data.pop("labels")
            if not isinstance(labels, list) or not all(isinstance(x, str) for x in labels):
                raise ValueError("labels is not a list of words")
            extra = {"features": features, "gate": gate, "labels": tuple(labels)}
            extra["baseline"] = baseline
            return cls(**_checked(cls, data, given=extra))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ModelError(
                f"the model's metadata cannot be used: {what}",
                "export the model again with python -m training.export",
            ) from error


def pack_matrix(matrix: NDArray[np.float32]) -> str:
    """A float32 matrix as text: zlib, then base64."""
    little = np.ascontiguousarray(matrix, dtype="<f4")
    return base64.b64encode(zlib.compress(little.tobytes(), 9)).decode("ascii")


def unpack_matrix(text: str, *, rows: int, columns: int) -> NDArray[np.float32]:
    """The matrix that :func:`pack_matrix` packed.

    Raises:
        ValueError: the text does not hold exactly such a matrix of finite numbers.
    """
    size = 4 * rows * columns
    inflater = zlib.decompressobj()
    try:
        # Never inflate more than was promised: a few bytes of zlib can hold gigabytes.
        raw = inflater.decompress(base64.b64decode(text, validate=True), size + 1)
    except (zlib.error, ValueError) as error:
        raise ValueError("a packed matrix cannot be unpacked") from error
    if len(raw) != size:
        raise ValueError(f"a packed matrix holds {len(raw)} bytes or more, not {size}")
    matrix = np.frombuffer(raw, "<f4").reshape(rows, columns).astype(np.float32)
    if not np.isfinite(matrix).all():
        raise ValueError("a packed matrix holds what is not a number")
    return matrix


_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "Mapping[str, Any]": (dict,),
}


def _checked(kind: type, data: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """``data`` with ``given`` added, each value of the type that the dataclass names."""
    for entry in fields(kind):
        if entry.name in given or (entry.name not in data and entry.default is not MISSING):
            continue
        value = data[entry.name]
        allowed = _KINDS[str(entry.type)]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise ValueError(f"{entry.name} is {value!r:.40}, not of type {entry.type}")
    known = {entry.name for entry in fields(kind)}
    return {**{k: v for k, v in data.items() if k in known}, **given}


def _build(kind: type, data: object) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{kind.__name__} is not an object")
    return kind(**_checked(kind, data, given={}))
