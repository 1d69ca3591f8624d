"""Settings of training runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

from live_ser.errors import LiveSerError
from live_ser.spec import GateSpec
from training.corpora.emotions import LABELS, MERGED
from training.data.baselines import BaselineConfig
from training.data.batches import BatchConfig
from training.data.features import FeatureConfig
from training.data.spectral import SpectralAugment
from training.fields import build
from training.networks.config import NetworkConfig

CLASSES = LABELS
"""The classes of the network; a protocol of eight classes adds ``calm``."""


@dataclass(frozen=True)
class RunConfig:
    """Settings of a training run that all presets share.

    Attributes:
        corpora: names of the corpora to train on.
        classes: classes of the network's output.
        features: settings of the features.
        gate: settings of the speech gate.
        window: length of the window in seconds.
        hop: seconds between predictions.
        offset: seconds to skip at the start of a clip.
        epochs: number of epochs.
        seed: seed of everything random.
        average: momentum of the moving average of the weights, which are the result; 0 for none.
        select_on_test: use the weights of the epoch that did best on the test split instead. The
            figures are then no test: they are the best of as many tries as there are epochs.

    Raises:
        ValueError: a value is out of range.
    """

    preset: ClassVar[str]
    takes_teachers: ClassVar[bool] = False
    """Whether a network of this preset can be distilled from others."""
    classes_only: ClassVar[bool] = False
    """Whether each training clip must have one of the classes."""

    corpora: tuple[str, ...]
    classes: tuple[str, ...]
    features: FeatureConfig
    gate: GateSpec
    window: float = 3.5
    hop: float = 0.5
    offset: float = 0.0
    epochs: int = 60
    seed: int = 0
    average: float = 0.0
    select_on_test: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.seed < 0:
            raise ValueError("it takes one epoch at least, and a seed of 0 or more")
        if not 0.1 <= self.window <= 60 or not 0.01 <= self.hop <= self.window:
            raise ValueError("a window lasts 0.1 to 60 s, and the next one begins within it")
        if not 0 <= self.offset <= 60:
            raise ValueError("0 to 60 s are left out at the start of a clip")
        if not self.corpora or len(set(self.corpora)) < len(self.corpora):
            raise ValueError("one corpus at least is wanted, and each once")
        known = {*LABELS, *MERGED}
        if len(set(self.classes) & known) < 2 or len({*self.classes, *known}) > len(known):
            raise ValueError(f"two at least of {', '.join(sorted(known))} are wanted")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("each class is wanted once")

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.features.sample_rate / self.features.hop_length

    @property
    def window_frames(self) -> int:
        """Number of frames in a window."""
        return self.features.frames_in(round(self.window * self.features.sample_rate))

    @property
    def kind(self) -> tuple[Any, ...]:
        """Settings that a network must share with its teachers, and with runs that calibrate it."""
        return self.preset, self.features, self.classes

    @property
    def architecture(self) -> tuple[Any, ...]:
        """Settings that determine the shapes of the weights."""
        return self.kind

    def with_setting(self, setting: str) -> Self:
        """These settings with one field replaced.

        Args:
            setting: path of the field, and its value as JSON: ``network.lstm=128``.

        Raises:
            LiveSerError: there is no such field, or the value is invalid.
        """
        where, equals, text = setting.partition("=")
        data: dict[str, Any] = json.loads(json.dumps(self.to_dict()))
        place: Any = data
        *groups, name = where.split(".")
        for group in groups:
            place = place.get(group) if isinstance(place, dict) else None
        known = isinstance(place, dict) and name in place and where != "preset"
        if not equals or not known:
            raise LiveSerError(
                f"no setting {setting!r}", "write it as network.lstm=128 or batches.size=32"
            )
        try:
            place[name] = json.loads(text, parse_constant=_no_number)
            return self.from_dict(data)
        except json.JSONDecodeError as error:
            hint = 'write a value as JSON has it: 128, [1.0, 2.2], true, "band"'
            raise LiveSerError(f"{where} cannot be {text}", hint) from error
        except (ValueError, TypeError) as error:
            raise LiveSerError(f"{where} cannot be {text}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """A dictionary for JSON."""
        return {"preset": self.preset, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Settings from the dictionary of :meth:`to_dict`."""
        return build(cls, data)


@dataclass(frozen=True)
class Config(RunConfig):
    """A training run of live-ser's own network.

    Attributes:
        network: size and regularisation of the network.
        batches: how batches are drawn.
        augment: augmentation of the log-mel frames.
        baseline: settings of the baselines.
        takes: number of degraded takes of each clip.
        learning_rate: maximum learning rate, after a tenth of the steps; it decays as a cosine.
        weight_decay: weight decay of AdamW.
        activation_weight: weight of the activation's loss; that of the emotion is 1.
        taught: share of the teachers' predictions in the targets, if there are teachers.
    """

    preset = "live_ser"
    takes_teachers = True

    corpora: tuple[str, ...] = ("ravdess", "nemo", "emodb", "banglaser")
    classes: tuple[str, ...] = CLASSES
    features: FeatureConfig = field(default_factory=FeatureConfig)
    gate: GateSpec = field(
        default_factory=lambda: GateSpec(
            threshold=0.46, floor_db=-80.0, trim=True, min_speech=0.35, onset=0.7
        )
    )
    epochs: int = 100
    average: float = 0.995
    network: NetworkConfig = field(default_factory=NetworkConfig)
    batches: BatchConfig = field(default_factory=BatchConfig)
    augment: SpectralAugment = field(default_factory=SpectralAugment)
    baseline: BaselineConfig = field(default_factory=BaselineConfig)
    takes: int = 3
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    activation_weight: float = 0.3
    taught: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.takes < 0:
            raise ValueError("there are no takes, or some")

    @property
    def architecture(self) -> tuple[Any, ...]:
        """Settings that determine the shapes of the weights."""
        return *self.kind, self.network


@dataclass(frozen=True)
class ArticleConfig(RunConfig):
    """A training run of the article's system, whose network gets windows with their pauses.

    Attributes:
        noise: standard deviation of the white noise, full scale at 1.
        noisy_copies: number of noisy copies of each training clip.
        pitch: semitones by which a copy is higher.
        pitched_share: share of the training clips with a copy at a higher pitch.
        batch: number of utterances in a batch.
        pad_with_peak: pad short clips with the highest value, as the article did.
    """

    preset = "article"
    classes_only = True

    corpora: tuple[str, ...] = ("ravdess",)
    classes: tuple[str, ...] = LABELS
    features: FeatureConfig = field(
        default_factory=lambda: FeatureConfig(
            sample_rate=44_100,
            n_fft=2048,
            win_length=2048,
            hop_length=512,
            n_mels=200,
            fmin=0.0,
            fmax=22_050.0,
        )
    )
    gate: GateSpec = field(
        default_factory=lambda: GateSpec(threshold=0.5, floor_db=-80.0, trim=False, min_speech=0.5)
    )
    epochs: int = 150
    offset: float = 0.5
    noise: float = 0.008
    noisy_copies: int = 2
    pitch: float = 4.0
    pitched_share: float = 0.9
    batch: int = 200
    pad_with_peak: bool = False


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
