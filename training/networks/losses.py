"""Losses for corpora with missing classes, and for activation."""

from __future__ import annotations

from typing import Any

from keras import ops


def masked_crossentropy(wanted: Any, logits: Any) -> Any:
    """Cross-entropy over the classes that the clip's corpus has.

    A corpus without disgust says nothing about disgust; counted as "never disgust" it would teach
    the network to tell corpora apart.

    Args:
        wanted: ``[batch, 2 * classes]``: distribution (all zero where there is none), then the
            weight of each class in the softmax, 0 to 1.
        logits: ``[batch, classes]``.

    Returns:
        ``[batch]``.
    """
    distribution, known = ops.split(ops.cast(wanted, logits.dtype), 2, axis=-1)
    weighted = logits + ops.log(known + 1e-30)
    return -ops.sum(distribution * ops.log_softmax(weighted), axis=-1)


def weighted_binary_crossentropy(wanted: Any, logit: Any) -> Any:
    """Binary cross-entropy where the truth is known.

    Args:
        wanted: ``[batch, 2]``: value, then weight.
        logit: ``[batch, 1]``.

    Returns:
        ``[batch]``.
    """
    value, weight = ops.split(ops.cast(wanted, logit.dtype), 2, axis=-1)
    loss = ops.softplus(logit) - value * logit
    return ops.squeeze(loss * weight, axis=-1)
