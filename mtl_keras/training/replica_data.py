"""Data of training and prediction on several replicas or hosts."""

from __future__ import annotations

import secrets

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.distribution.batch_sizes import BatchSizes, tell_uneven
from mtl_keras.distribution.split_batches import shard_by_data, split_batches
from mtl_keras.distribution.workers import (
    check_agreement,
    from_chief,
    has_several_workers,
    is_chief,
)
from mtl_keras.keras_compat import (
    global_seed,
    make_data_adapter,
    replace_dataset,
)
from mtl_keras.training.data.streams import is_stream
from mtl_keras.training.worker_callbacks import select_worker_callbacks


def prepare_worker_arguments(
    strategy: tf.distribute.Strategy, arguments: dict, *, training: bool = False
) -> dict:
    """Adapts the arguments of `fit`, `evaluate` or `predict` to this worker.

    Only the chief writes files and shows progress.

    Args:
        strategy: The strategy of the model.
        arguments: Arguments of `keras.Model.fit`, `evaluate` or `predict`.
        training: Whether they are arguments of `fit`. Defaults to `False`.

    Returns:
        The arguments of this worker; unchanged if there is one worker.
    """
    if not has_several_workers(strategy):
        return arguments
    if training:
        names = ("epochs", "initial_epoch", "steps_per_epoch")
        check_agreement(
            strategy, {name: arguments[name] or 0 for name in names}
        )
    chief = is_chief(strategy)
    changed = dict(arguments)
    changed["x"] = shard_by_data(changed["x"])
    changed["callbacks"] = select_worker_callbacks(
        changed.get("callbacks"), chief=chief, training=training
    )
    if changed.get("verbose") == "auto" and not chief:
        changed["verbose"] = 0
    validation = changed.get("validation_data")
    if validation is not None:
        changed["validation_data"] = shard_by_data(validation)
    return changed


def split_iterator(
    strategy: tf.distribute.Strategy, iterator, *, training: bool
) -> None:
    """Splits each batch of Keras's iterator as evenly as possible.

    Args:
        strategy: The strategy of the model, with several replicas.
        iterator: Keras's iterator over epochs.
        training: Whether the model trains on it.
    """
    check_agreement(
        strategy,
        {
            "number of batches": iterator.num_batches or -1,
            "seed of tf.random": -1 if global_seed() is None else global_seed(),
        },
    )
    dataset = iterator.data_adapter.get_tf_dataset()
    if isinstance(dataset, tf.distribute.DistributedDataset):
        return  # the user has split it
    replicas = strategy.num_replicas_in_sync
    sizes = BatchSizes.of_adapter(iterator.data_adapter)
    if training:
        tell_uneven(sizes, replicas)
    uneven = sizes.may_be_uneven(replicas)
    if not (uneven or has_several_workers(strategy)):
        return
    if getattr(iterator, "splits_exactly", False):
        return
    iterator.splits_exactly = True
    with _SharedSeed(strategy):
        dataset = iterator.data_adapter.get_tf_dataset()
    fill = sizes.may_be_short(replicas)
    replace_dataset(iterator, split_batches(dataset, strategy, fill=fill))


def split_prediction_inputs(
    strategy: tf.distribute.Strategy,
    x,
    batch_size: int | None,
    steps: int | None,
) -> tuple:
    """Splits the inputs of a prediction and adds the indices of the rows.

    Args:
        strategy: The strategy of the model.
        x: Inputs, or a stream of them.
        batch_size: As in `keras.Model.predict`.
        steps: As in `keras.Model.predict`.

    Returns:
        The arguments `x`, `batch_size` and `steps` of `keras.Model.predict`.
    """
    if strategy.num_replicas_in_sync == 1:
        return x, batch_size, steps
    if isinstance(x, keras.utils.PyDataset | tf.distribute.DistributedDataset):
        return x, batch_size, steps
    if not isinstance(x, tf.data.Dataset) and is_stream(x):
        return x, batch_size, steps
    adapter = make_data_adapter(x, batch_size=batch_size, steps_per_epoch=steps)
    rows = adapter.get_tf_dataset().map(_add_row_indices)
    split = split_batches(rows, strategy, fill=True)
    return split, None, steps or adapter.num_batches


def _add_row_indices(*batch) -> tuple:
    """Adds the row indices in place of the targets."""
    x, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
    return x, tf.range(tf.shape(keras.tree.flatten(x)[0])[0])


def check_gradient_accumulation(
    optimizer: keras.optimizers.Optimizer, replicas: int
) -> None:
    """Checks that an optimizer accumulates no gradients on several replicas.

    Keras would branch inside a replica, where gradients cannot be summed.

    Args:
        optimizer: The optimizer of a model.
        replicas: The number of replicas.

    Raises:
        ValueError: If it does.
    """
    steps = getattr(optimizer, "gradient_accumulation_steps", None)
    if steps and replicas > 1:
        raise ValueError(
            f"gradient_accumulation_steps={steps}, which Keras does not "
            f"support on {replicas} replicas. Remove it and choose a "
            f"batch_size {steps} times as large, or more replicas."
        )


class _SharedSeed:
    """Shuffles in the same order on all workers if the user set no seed."""

    def __init__(self, strategy: tf.distribute.Strategy):
        self._shared = None
        if has_several_workers(strategy) and global_seed() is None:
            # From no generator that the user may have seeded.
            seed = np.asarray(secrets.randbelow(2**31))
            self._shared = int(from_chief(strategy, [seed])[0])

    def __enter__(self):
        if self._shared is not None:
            tf.random.set_seed(self._shared)

    def __exit__(self, *_):
        if self._shared is not None:
            tf.random.set_seed(None)
