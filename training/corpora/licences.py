"""The licence of a model's weights, from those of the corpora that it was trained on."""

from __future__ import annotations

from collections.abc import Iterable

from training.corpora.published import READERS


def licence_of_weights(corpora: Iterable[str]) -> str:
    """The licence of weights that were trained on some corpora.

    Args:
        corpora: names of the corpora.

    Returns:
        SPDX identifier; ``not stated`` if the user's own recordings decide, rather than a
        published corpus.
    """
    closed = [name for name in corpora if not (name in READERS and READERS[name].open)]
    if not closed:
        return "CC-BY-4.0"
    return "CC-BY-NC-SA-4.0" if any(name in READERS for name in closed) else "not stated"
