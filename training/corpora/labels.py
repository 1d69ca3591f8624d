"""What a clip's emotion is called by a model that has not a label for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.corpora.readers import SAME, Clip


def truth(
    clips: Sequence[Clip], labels: Sequence[str]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The clips whose emotion has a label of its own kind, and that label: both ``[known]``.

    Boredom is trained on but is none of the labels: it tests nothing.
    """
    said = [clip.emotion if clip.emotion in labels else SAME.get(clip.emotion) for clip in clips]
    known = [i for i, name in enumerate(said) if name in labels]
    return np.array(known, np.intp), np.array([labels.index(str(said[i])) for i in known], np.intp)


def right_labels(clips: Sequence[Clip], labels: Sequence[str]) -> NDArray[np.intp]:
    """Index of the right label of each clip, ``[n]``.

    Raises:
        ValueError: one of them has none.
    """
    known, right = truth(clips, labels)
    if len(known) != len(clips):
        raise ValueError("a clip bears an emotion for which there is no label")
    return right
