"""Named systems to train: what each says of itself, and how it hears, learns and judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras

from training.corpora.readers import Clip
from training.data.dataset import Utterances
from training.recipes import article, learn
from training.recipes.article import ArticleConfig
from training.recipes.config import Config, RunConfig
from training.recipes.learn import Logits


class Recipe(Protocol):
    """What a preset does in its own way: a module with these functions."""

    def load(self, clips: Sequence[Clip], config: Any, *, data: Path, cache: Path) -> Utterances:
        """What the network hears of each clip: first as it is judged, then further takes."""

    def network(self, config: Any) -> keras.Model:
        """From ``log_mel`` to logits, its weights drawn from the seed."""

    def compiled(self, config: Any, train: Utterances) -> keras.Model:
        """The network, ready to be fitted to these."""

    def batches(self, train: Utterances, config: Any, epoch: int = 0) -> keras.utils.PyDataset:
        """What it is fitted to, from an epoch on."""

    def alone(self, model: keras.Model) -> keras.Model:
        """The network as it is used, on one utterance: what is exported."""

    def judge(self, model: keras.Model, utterances: Utterances, config: Any) -> Logits:
        """What it says of each utterance as recorded."""


@dataclass(frozen=True)
class Preset:
    """A named system.

    Attributes:
        config: its settings; each has a default.
        recipe: what it does in its own way.
        split: that it is trained on where no other is named.
    """

    config: type[RunConfig]
    recipe: Recipe
    split: str


PRESETS: Mapping[str, Preset] = {
    Config.preset: Preset(Config, learn, "held-out"),
    ArticleConfig.preset: Preset(ArticleConfig, article, "article"),
}


def read_config(data: Mapping[str, Any]) -> RunConfig:
    """The settings that :meth:`RunConfig.to_dict` gave."""
    return PRESETS[data.get("preset", Config.preset)].config.from_dict(data)


def recipe(config: RunConfig) -> Recipe:
    """What the preset of these settings does in its own way."""
    return PRESETS[config.preset].recipe
