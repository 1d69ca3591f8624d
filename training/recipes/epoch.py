"""An epoch, reproducible whatever the process did before."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras
import tensorflow as tf

from training.recipes.recipe import Batches


def train_epoch(model: keras.Model, batches: Batches, seed: int, epoch: int) -> dict[str, float]:
    """Train a network for an epoch.

    Args:
        model: compiled; it is trained in place.
        batches: batches of the epoch. They move on to the next one afterwards.
        seed: seed of the run.
        epoch: its number, from 0.

    Returns:
        The mean of each loss over the utterances of the epoch.
    """
    # Drop out what this epoch drops, whichever epochs this process has seen before: Keras keeps no
    # state of its random generators with the weights.
    generators = [one for one in model.variables if one.name == "seed_generator_state"]
    for place, state in enumerate(generators):
        state.assign([seed + 1000 * place, epoch])
    if model.train_function is None:
        model.train_function = _step(model, batches[0][1])
    sums: dict[str, float] = defaultdict(float)
    count = 0
    # A plain loop: on one core, Keras' own pipeline idles for half of the time.
    for index in range(len(batches)):
        inputs, targets = batches[index]
        # Keras tells the losses of this batch alone.
        losses = model.train_on_batch(inputs, targets, return_dict=True)
        size = len(next(iter(targets.values())))
        count += size
        for name, value in losses.items():
            sums[name] += size * float(value)
    batches.on_epoch_end()
    return {name: total / count for name, total in sums.items()}


def _step(model: keras.Model, targets: Any) -> Any:
    """Make the step that ``train_on_batch`` takes: one function for batches of any length.

    Keras would trace a function for the shapes that it meets first, and another for all others.
    The two round differently, and which batch is the first depends on the epoch that a run goes on
    from: it would come to other weights than a run that was never broken off.
    """
    spec = (
        keras.tree.map_structure(lambda one: tf.TensorSpec(one.shape, one.dtype), model.input),
        keras.tree.map_structure(
            lambda one: tf.TensorSpec((None, *one.shape[1:]), one.dtype), targets
        ),
    )
    step = tf.function(model.train_step, input_signature=[spec])
    return lambda batches: step(next(batches)[:2])
