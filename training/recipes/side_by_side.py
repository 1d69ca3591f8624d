"""Training of several runs at once on one GPU, with JAX.

A network of this size leaves a GPU idle for most of a step. Therefore the states of several
networks of the same shape are stacked, and the training step is mapped over the stack. Except for
rounding, the result is the same as that of training each run on its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from tqdm import tqdm

from training.data.packed import read_packed
from training.data.utterances import Utterances
from training.recipes.batch_workers import BatchWorkers, batches_of
from training.recipes.config import Config
from training.recipes.presets import recipe
from training.recipes.run import Run

_SAVE_EVERY = 90.0  # seconds, from one checkpoint to the next
_AT_ONCE = 32  # networks; more do not fit into the memory of a small GPU

State = tuple[list[Any], list[Any], list[Any], list[Any]]
"""The trainable variables of a network, its others, and those of its optimizer and metrics."""

Step = Callable[[State, Any], tuple[dict[str, Any], State]]
"""From states and batches, both stacked, to losses and states."""


def fit_side_by_side(runs: Sequence[Run], packed: Path, workers: int) -> None:
    """Train runs until each has its weights; :func:`training.trainer.fit` computes the metrics.

    Args:
        runs: runs of the preset live_ser without teachers; those with weights are skipped.
        packed: folder from :func:`training.data.packed.write_packed` with all their clips.
        workers: number of processes that make batches.
    """
    utterances = read_packed(packed)
    waiting = [run for run in runs if not run.weights.is_file()]
    for run in waiting:
        run.save_windows(utterances)
    waiting.sort(key=lambda run: repr(_shape(run)))
    for _, alike in groupby(waiting, key=_shape):
        group = list(alike)
        for start in range(0, len(group), _AT_ONCE):
            _fit(group[start : start + _AT_ONCE], utterances, packed, workers)


def _shape(run: Run) -> Any:
    """What runs that are trained at once have in common: everything but their data."""
    config = run.config
    assert isinstance(config, Config)
    usual = Config()
    drawn = replace(config.batches, degraded=0.0, smoothing=0.0, absent=0.0, speaker_power=0.0)
    return run.epoch, replace(
        config,
        seed=0,
        takes=0,
        corpora=usual.corpora,
        batches=drawn,
        augment=usual.augment,
        baseline=usual.baseline,
    )


def _fit(runs: Sequence[Run], utterances: Utterances, packed: Path, workers: int) -> None:
    """Train runs of one shape, all of which are at the same epoch."""
    config, start = runs[0].config, runs[0].epoch
    assert isinstance(config, Config)
    rows = [run.history()[:start] for run in runs]
    example = batches_of(runs[0], utterances)
    steps = range(len(example))
    order = [(epoch, index) for epoch in range(start, config.epochs) for index in steps]
    with BatchWorkers(packed, [run.folder for run in runs], workers) as pool:
        batches = pool.batches(order)
        with _on_cpu():
            model, states = _begin(runs, example[0])
        first = list(islice(batches, len(config.batches.lengths)))
        step = _compiled(model, states, first)
        batches = chain(first, batches)
        saved = time.monotonic()
        for epoch in tqdm(range(start, config.epochs), f"{len(runs)} networks", unit="epoch"):
            states = _ready(model, states, [run.config.seed for run in runs], epoch)
            for _ in steps:
                losses, states = step(states, next(batches))
            _log(rows, jax.device_get(losses), epoch)
            if epoch + 1 == config.epochs or time.monotonic() - saved > _SAVE_EVERY:
                with _on_cpu():
                    _save(model, runs, rows, jax.device_get(states), epoch + 1)
                saved = time.monotonic()


def _on_cpu() -> Any:
    """Keras builds a network by many small operations; a GPU would compile a program for each."""
    return jax.default_device(jax.devices("cpu")[0])


def _begin(runs: Sequence[Run], batch: Any) -> tuple[keras.Model, State]:
    """The network, and the stacked states of the runs, from their seeds or checkpoints."""
    model = recipe(runs[0].config).compiled(Utterances((), ()))
    model.test_on_batch(*batch)  # Keras builds losses and metrics at the first batch
    model.optimizer.build(model.trainable_variables)
    initial: dict[int, list[Any]] = {}  # weights by seed
    states: list[State] = []
    for run in runs:
        seed = run.config.seed
        if seed not in initial:
            network = recipe(run.config).network()
            initial[seed] = [np.array(one.value) for one in network.variables]
        for variable, value in zip(model.variables, initial[seed], strict=True):
            variable.assign(value)
        run.restore(model)
        trainable, others, optimizer, metrics = (
            [np.array(one.value) for one in variables] for variables in _variables(model)
        )
        states.append((trainable, others, optimizer, metrics))
    stacked: State = jax.tree.map(lambda *values: np.stack(values), *states)
    return model, stacked


def _compiled(model: keras.Model, states: State, batches: Sequence[Any]) -> Step:
    """The training step, compiled for each length of a batch, in parallel."""

    def step(states: State, batches: Any) -> Any:
        # Batches are transferred in half precision.
        return jax.vmap(model.train_step)(
            states, jax.tree.map(lambda one: one.astype("float32"), batches)
        )

    mapped = jax.jit(step, donate_argnums=0)
    kinds = {_length(batch): batch for batch in batches}
    traced = [mapped.lower(states, batch) for batch in kinds.values()]
    with ThreadPoolExecutor(len(traced)) as threads:
        compiled = list(threads.map(lambda one: one.compile(), traced))
    programs = dict(zip(kinds, compiled, strict=True))

    def run(states: State, batch: Any) -> Any:
        length = _length(batch)
        if length not in programs:
            programs[length] = mapped.lower(states, batch).compile()
        return programs[length](states, batch)

    return run


def _length(batch: Any) -> int:
    return int(batch[0]["log_mel"].shape[2])


def _ready(model: keras.Model, states: State, seeds: Sequence[int], epoch: int) -> State:
    """The states at the start of an epoch: seeds of dropout as in ``train_epoch``, losses of 0."""
    trainable, others, optimizer, metrics = states
    others = list(others)
    variables = model.non_trainable_variables
    generators = [i for i, one in enumerate(variables) if one.name == "seed_generator_state"]
    for place, index in enumerate(generators):
        values = [[seed + 1000 * place, epoch] for seed in seeds]
        others[index] = np.array(values, others[index].dtype)
    return trainable, others, optimizer, [np.zeros(one.shape, one.dtype) for one in metrics]


def _log(rows: Sequence[list[dict[str, float]]], losses: Any, epoch: int) -> None:
    """Add the losses of an epoch to the history of each run."""
    for place, row in enumerate(rows):
        mean = {name: float(values[place]) for name, values in losses.items()}
        row.append({"epoch": float(epoch + 1), **mean})


def _save(
    model: keras.Model,
    runs: Sequence[Run],
    rows: Sequence[list[dict[str, float]]],
    states: State,
    epoch: int,
) -> None:
    """Write a checkpoint of each run, or its weights after the last epoch."""
    for place, run in enumerate(runs):
        run.write_history(rows[place])
        for variables, values in zip(_variables(model), states, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value[place])
        if epoch < run.config.epochs:
            run.checkpoint(model, epoch)
            continue
        if run.config.average:
            model.optimizer.finalize_variable_values(model.trainable_variables)
        run.save_weights(model)
        run.clear_checkpoints()


def _variables(model: keras.Model) -> Iterator[Any]:
    """The variables in the order of the state of Keras' training step for JAX."""
    yield model.trainable_variables
    yield model.non_trainable_variables
    yield model.optimizer.variables
    yield model.metrics_variables
