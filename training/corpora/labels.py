"""Mapping of the labels of corpora to those of a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.corpora.clips import Clip
from training.corpora.emotions import MERGED


def known_targets(
    clips: Sequence[Clip], labels: Sequence[str]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Clips whose emotion has a label, and their targets.

    Boredom, for example, is trained on, but is no label, so that such clips cannot be tested.

    Args:
        clips: the clips, ``[n]``.
        labels: labels of the model.

    Returns:
        Indices of the clips, and those of their labels, both ``[known]``.
    """
    names = [clip.emotion if clip.emotion in labels else MERGED.get(clip.emotion) for clip in clips]
    known = [i for i, name in enumerate(names) if name in labels]
    indices = [labels.index(str(names[i])) for i in known]
    return np.array(known, np.intp), np.array(indices, np.intp)


def targets(clips: Sequence[Clip], labels: Sequence[str]) -> NDArray[np.intp]:
    """The index of each clip's label.

    Args:
        clips: the clips, ``[n]``.
        labels: labels of the model.

    Returns:
        Indices, ``[n]``.

    Raises:
        ValueError: a clip has an emotion for which there is no label.
    """
    known, indices = known_targets(clips, labels)
    if len(known) != len(clips):
        raise ValueError("a clip has an emotion for which there is no label")
    return indices
