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
        config: class of its settings, all of which have defaults.
        split: its default split.
    """

    config: type[RunConfig]
    split: str


PRESETS: Mapping[str, Preset] = {
    Config.preset: Preset(Config, "held-out"),
    ArticleConfig.preset: Preset(ArticleConfig, "article"),
}


def read_config(data: Mapping[str, Any]) -> RunConfig:
    """The settings of a dictionary from :meth:`RunConfig.to_dict`."""
    return PRESETS[data.get("preset", Config.preset)].config.from_dict(data)


def recipe(config: RunConfig) -> Recipe[Any]:
    """The recipe for settings."""
    # Imported late: settings are checked at once, and Keras takes seconds to load.
    made: Recipe[Any] = import_module(f"training.recipes.{config.preset}").RECIPE(config)
    return made
