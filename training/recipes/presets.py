"""Named systems: their settings and recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from training.recipes.config import ArticleConfig, Config, RunConfig

if TYPE_CHECKING:
    from training.recipes.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A named system.

    Attributes:
        config: its settings; each has a default.
        split: that it is trained on where no other is named.
    """

    config: type[RunConfig]
    split: str


PRESETS: Mapping[str, Preset] = {
    Config.preset: Preset(Config, "held-out"),
    ArticleConfig.preset: Preset(ArticleConfig, "article"),
}


def read_config(data: Mapping[str, Any]) -> RunConfig:
    """The settings that :meth:`RunConfig.to_dict` gave."""
    return PRESETS[data.get("preset", Config.preset)].config.from_dict(data)


def recipe(config: RunConfig) -> Recipe[Any]:
    """The recipe of the preset of these settings."""
    # Settings are read and refused in no time; Keras, which builds networks, takes seconds.
    made: Recipe[Any] = import_module(f"training.recipes.{config.preset}").RECIPE(config)
    return made
