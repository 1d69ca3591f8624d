"""An epoch of training, which is the same in a run that was interrupted and continued."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras
import tensorflow as tf

from training.recipes.recipe import Batches


def train_epoch(model: keras.Model, batches: Batches, seed: int, epoch: int) -> dict[str, float]:
    """Train a network for an epoch.

    Args:
        model: compiled network, which is trained in place.
        batches: batches of the epoch, which then go on to the next one.
        seed: seed of the run.
        epoch: number of the epoch, from 0.

    Returns:
        The mean of each loss over the utterances of the epoch.
    """
    # Dropout must depend on the epoch alone, not on those before it in this process: Keras does not
    # store the state of its random generators with the weights.
    generators = [one for one in model.variables if one.name == "seed_generator_state"]
    for place, state in enumerate(generators):
        state.assign([seed + 1000 * place, epoch])
    if model.train_function is None:
        model.train_function = _step(model, batches[0][1])
    sums: dict[str, float] = defaultdict(float)
    count = 0
    # On one core, the data pipeline of Keras would be idle for half of the time.
    for index in range(len(batches)):
        inputs, targets = batches[index]
        # Keras returns the losses of this batch only.
        losses = model.train_on_batch(inputs, targets, return_dict=True)
        size = len(next(iter(targets.values())))
        count += size
        for name, value in losses.items():
            sums[name] += size * float(value)
    batches.on_epoch_end()
    return {name: total / count for name, total in sums.items()}


def _step(model: keras.Model, targets: Any) -> Any:
    """The training step of ``train_on_batch``, as one function for batches of any length.

    Keras would trace one function for the first shape, and another for all others. They round
    differently, and which shape is first depends on the epoch from which a run continues, so that
    its weights would differ from those of a run that was not interrupted.
    """
    spec = (
        keras.tree.map_structure(lambda one: tf.TensorSpec(one.shape, one.dtype), model.input),
        keras.tree.map_structure(
            lambda one: tf.TensorSpec((None, *one.shape[1:]), one.dtype), targets
        ),
    )
    step = tf.function(model.train_step, input_signature=[spec])
    return lambda batches: step(next(batches)[:2])
