"""Named settings to train by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from training.config import Config

PRESETS: Mapping[str, Callable[..., Config]] = {"live_ser": Config}
"""Name to what makes the configuration; arguments replace fields of it."""
