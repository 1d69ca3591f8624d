"""Losses for corpora with missing classes, and for activation."""

from __future__ import annotations

from typing import Any

from keras import ops


def masked_crossentropy(target: Any, logits: Any) -> Any:
    """Cross-entropy over the classes that the clip's corpus has.

    A corpus without disgust contains no information about disgust. If its clips counted as "not
    disgust", the network would learn to recognise the corpus.

    Args:
        target: target distribution, zeros for a clip without one, then the weight of each class in
            the softmax, 0 to 1, ``[batch, 2 * classes]``.
        logits: logits, ``[batch, classes]``.

    Returns:
        Loss of each clip, ``[batch]``.
    """
    distribution, known = ops.split(ops.cast(target, logits.dtype), 2, axis=-1)
    weighted = logits + ops.log(known + 1e-30)
    return -ops.sum(distribution * ops.log_softmax(weighted), axis=-1)


def weighted_binary_crossentropy(target: Any, logit: Any) -> Any:
    """Binary cross-entropy of clips with a known target.

    Args:
        target: target, then its weight, 0 if it is unknown, ``[batch, 2]``.
        logit: logit, ``[batch, 1]``.

    Returns:
        Loss of each clip, ``[batch]``.
    """
    value, weight = ops.split(ops.cast(target, logit.dtype), 2, axis=-1)
    loss = ops.softplus(logit) - value * logit
    return ops.squeeze(loss * weight, axis=-1)
