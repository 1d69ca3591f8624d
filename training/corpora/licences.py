"""The licence of a model's weights, by the corpora that it was trained on."""

from __future__ import annotations

from collections.abc import Iterable

from training.corpora.readers import READERS

# Free with citation, CC BY 4.0 and Apache-2.0: any use, with their names.
_OPEN = {"emodb", "banglaser", "emogator"}


def licence_of_weights(corpora: Iterable[str]) -> str:
    """SPDX name of the licence of what was trained on corpora.

    Args:
        corpora: names of their readers.

    Returns:
        ``not stated`` where no published corpus decides, but recordings of one's own do.
    """
    named = set(corpora)
    if named <= _OPEN:
        return "CC-BY-4.0"
    return "CC-BY-NC-SA-4.0" if (named - _OPEN) & READERS.keys() else "not stated"
