"""The metadata of a model file: its features, labels, gate and baseline.

The model file is the contract: all that the runtime needs to know is JSON metadata of the ``.onnx``
file, and the code has no feature constants.
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
    """The specification of log-mel frames, see :mod:`live_ser.frontend.features`.

    Attributes:
        sample_rate: sample rate of the mono signal in Hz.
        n_fft: samples in a frame.
        win_length: samples in the Hann window, centred in the frame; at most ``n_fft``.
        hop_length: samples from one frame to the next.
        n_mels: number of mel bands.
        fmin: lower edge of the lowest band, in Hz.
        fmax: upper edge of the highest band, in Hz; at most half the sample rate.
        amin: minimum power, at which decibels are clipped.
        mel_basis: float32 ``[n_mels, 1 + n_fft // 2]``, packed by :func:`pack_matrix`; computed at
            export, so that the runtime needs no filter design.
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
        """The number of whole frames in so many samples."""
        return max(0, 1 + (samples - self.n_fft) // self.hop_length)


@dataclass(frozen=True)
class GateSpec:
    """When sound counts as speech.

    Attributes:
        threshold: speech probability from which a chunk counts as speech, 0 to 1.
        floor_db: RMS level in dB re full scale below which nothing is speech.
        trim: whether the model takes windows trimmed to their speech, from the first to the last,
            or whole windows.
        min_speech: seconds of speech needed to classify a window.
        onset: the same while the utterance is still going on.
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
        """Seconds of speech needed to classify an utterance.

        Args:
            over: whether the utterance has ended.
        """
        return self.min_speech if over else max(self.min_speech, self.onset)


@dataclass(frozen=True)
class BaselineSpec:
    """How the speaker's baseline is computed, for a model that uses one.

    Attributes:
        size: size of the speaker embedding (``voice``).
        typical: weight of a typical voice (zeros) in the mean, in seconds of speech.
        memory: seconds of speech after which older speech counts for less.
        offsets: float32 ``[labels, size]``, packed by :func:`pack_matrix`: the usual effect of each
            emotion on the voice.
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
    """The metadata of a model.

    Attributes:
        name: name of the model.
        labels: emotions, in the order of the model's output.
        window: length of a window in seconds.
        hop: default seconds between predictions.
        features: specification of the input.
        gate: when sound counts as speech.
        abstain: confidence below which the state is ``uncertain``, 0 to 1.
        licence: SPDX name of the weights' licence.
        offset: seconds to skip at the start of a recording, as in training; not skipped in a live
            stream.
        baseline: how the speaker's baseline is computed; None for a model without one.
        provenance: corpora, speakers, protocol, figures, revision, versions; free-form.
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
        """The usual effect of each emotion on the voice, float32 ``[labels, size]``."""
        assert self.baseline is not None
        size = self.baseline.size
        return unpack_matrix(self.baseline.offsets, rows=len(self.labels), columns=size)

    @property
    def learnt_from(self) -> Mapping[str, Any]:
        """Clips and speakers of the part that learnt from most: the head's, where there is one."""
        head = self.provenance.get("head")
        return head if isinstance(head, Mapping) and "clips" in head else self.provenance

    def to_json(self) -> str:
        """The metadata of the model file."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelInfo:
        """Read the metadata of a model file.

        Raises:
            ModelError: it has another schema, or is invalid.
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
        # Never inflate more than expected: a few bytes of zlib can become gigabytes.
        raw = inflater.decompress(base64.b64decode(text, validate=True), size + 1)
    except (zlib.error, ValueError) as error:
        raise ValueError("a packed matrix cannot be unpacked") from error
    if len(raw) != size:
        raise ValueError(f"a packed matrix holds {len(raw)} bytes or more, not {size}")
    matrix = np.frombuffer(raw, "<f4").reshape(rows, columns).astype(np.float32)
    if not np.isfinite(matrix).all():
        raise ValueError("a packed matrix contains NaN or infinity")
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
