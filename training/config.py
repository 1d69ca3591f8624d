"""Everything that decides what a training run makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, get_type_hints

from live_ser.spec import GateSpec
from training.augment import SpectralAugment
from training.batches import BatchConfig
from training.dataset import FeatureConfig
from training.network import NetworkConfig

CLASSES = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
    "bored",
)
"""What the network tells apart inside; :data:`training.corpora.LABELS` is what it says."""

SAME: Mapping[str, str] = {"calm": "neutral"}
"""Emotions that count as another label where they have none of their own."""

MERGED: Mapping[str, str] = {**SAME, "bored": "neutral"}
"""Classes that are said as another label."""


@dataclass(frozen=True)
class Config:
    """A training run.

    Attributes:
        corpora: to train on.
        classes: of the network's output.
        features: of its input.
        gate: when sound counts as speech.
        window: seconds that one judgement hears at most.
        hop: seconds between judgements.
        network: its size and regularisation.
        batches: how they are drawn.
        augment: what is done to each utterance.
        takes: degraded takes computed of each clip.
        epochs: passes.
        learning_rate: at its highest, after a tenth of the steps; it falls as a cosine.
        weight_decay: of AdamW.
        average: momentum of the running average of the weights, which is what is kept; 0 for none.
        activation_weight: of the second output's loss beside the first's.
        seed: of everything random.
    """

    corpora: tuple[str, ...] = ("ravdess", "nemo", "emodb", "banglaser")
    classes: tuple[str, ...] = CLASSES
    features: FeatureConfig = field(default_factory=FeatureConfig)
    gate: GateSpec = field(
        default_factory=lambda: GateSpec(threshold=0.5, floor_db=-80.0, trim=True, min_speech=0.5)
    )
    window: float = 3.5
    hop: float = 0.5
    network: NetworkConfig = field(default_factory=NetworkConfig)
    batches: BatchConfig = field(default_factory=BatchConfig)
    augment: SpectralAugment = field(default_factory=SpectralAugment)
    takes: int = 3
    epochs: int = 60
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.995
    activation_weight: float = 0.3
    seed: int = 0

    @property
    def frame_rate(self) -> float:
        """Frames in a second."""
        return self.features.sample_rate / self.features.hop_length

    @property
    def window_frames(self) -> int:
        """Frames that one judgement hears at most."""
        return self.features.spec().frames_in(round(self.window * self.features.sample_rate))

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Config:
        """What :meth:`to_dict` gave."""
        built: Config = _build(cls, data)
        return built


def _build(kind: type, data: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {entry.name: data[entry.name] for entry in fields(kind) if entry.name in data}
    for name, value in values.items():
        if is_dataclass(hints[name]):
            values[name] = _build(hints[name], value)
        elif isinstance(value, list):
            values[name] = tuple(value)
    return kind(**values)
