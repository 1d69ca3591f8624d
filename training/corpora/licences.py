"""Which licence the weights of a model bear, by the corpora that it was trained on."""

from __future__ import annotations

from collections.abc import Iterable

_OPEN = {"emodb", "banglaser"}  # free with citation, and CC BY 4.0: any use, with their names


def licence_of_weights(corpora: Iterable[str]) -> str:
    """SPDX name of the licence of what was trained on corpora.

    Args:
        corpora: names of their readers.
    """
    return "CC-BY-4.0" if set(corpora) <= _OPEN else "CC-BY-NC-SA-4.0"
