"""Names of the emotions: those that corpora show, and those that a model predicts."""

from __future__ import annotations

from collections.abc import Mapping

LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""The labels of the shipped model, in the order of its output."""

MERGED: Mapping[str, str] = {"calm": "neutral"}
"""Emotions that count as another one where a model has no class for them."""

EMOTIONS = ("neutral", "calm", *LABELS[1:], "bored")
"""All emotions of the corpora, in the order in which they are listed."""

AROUSED = frozenset({"angry", "happy", "fearful", "surprised"})
"""Emotions of high activation."""

UNAROUSED = frozenset({"neutral", "calm", "sad", "bored"})
"""Emotions of low activation; disgust is in neither set."""
