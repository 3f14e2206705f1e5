"""Held-out batches, from which some weightings learn."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.training.data.checks import check_data
from mtl_keras.training.data.preparation import prepare
from mtl_keras.weighting import Weighting


def make_held_out_batches(x, y, sample_weight, batch_size: int, steps: int):
    """Creates an infinite dataset of held-out batches.

    Arrays are reshuffled in each round, and all batches are full. The order
    depends only on the step number, so that training resumes with the same
    batches.

    Args:
        x: Inputs, or a `tf.data.Dataset` of batches, which is repeated.
        y: Targets, or `None` for a dataset.
        sample_weight: Sample weights, or `None`.
        batch_size: Number of samples in a batch, for arrays.
        steps: Number of completed steps of the weighting.

    Returns:
        A `tf.data.Dataset` of `(x, y)` or `(x, y, sample_weight)`.
    """
    if isinstance(x, tf.data.Dataset):
        length = int(x.cardinality())
        # A dataset of infinite or unknown length restarts.
        return x.repeat().skip(steps % length if length > 0 else 0)
    data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
    data = keras.tree.map_structure(tf.convert_to_tensor, data)
    size = len(keras.tree.flatten(data)[0])
    batch_size = min(batch_size, size)
    batches = size // batch_size

    def take(step):
        round_index, batch = step // batches, step % batches
        positions = batch * batch_size + tf.range(batch_size, dtype=tf.int64)
        indices = tf.random.experimental.index_shuffle(
            positions,
            seed=tf.stack([tf.constant(0, tf.int64), round_index]),
            max_index=tf.constant(size - 1, tf.int64),
        )
        return keras.tree.map_structure(
            lambda array: tf.gather(array, indices), data
        )

    return tf.data.Dataset.counter(start=steps).map(take)


def prepare_held_out(model, held_out_data, batch_size: int | None) -> tuple:
    """Checks held-out data and creates an infinite iterator over batches.

    Args:
        model: A compiled `MultiTaskModel`.
        held_out_data: The argument of `fit`.
        batch_size: The argument of `fit`.

    Returns:
        The iterator or `None`, and whether all labels are present.
    """
    weighting, strategy = model.weighting, model.distribute_strategy
    check_held_out_data(weighting, held_out_data)
    if held_out_data is None:
        return None, False
    data = keras.utils.unpack_x_y_sample_weight(held_out_data)
    data = prepare(model, *data, where="held_out_data")
    if data.unchecked:
        check_data(model, *next(iter(data.x)), where="held_out_data")
    batches = make_held_out_batches(
        data.x,
        data.y,
        data.sample_weight,
        batch_size=batch_size or 32,
        steps=int(weighting.steps),
    )
    batches = strategy.experimental_distribute_dataset(batches)
    return iter(batches), data.complete


def check_held_out_data(weighting: Weighting | None, held_out_data) -> None:
    """Checks that held-out data is given if and only if it is used.

    Args:
        weighting: The weighting of the model, or `None`.
        held_out_data: The argument of `fit`.

    Raises:
        TypeError: If it is neither a tuple of arrays nor a
            `tf.data.Dataset`.
        ValueError: If it is missing, or given and unused.
    """
    needed = weighting is not None and weighting.needs_held_out_data
    name = type(weighting).__name__
    if needed and held_out_data is None:
        raise ValueError(
            f"{name} learns the task weights from held-out data, which is "
            "missing. Call model.fit(..., held_out_data=(x, y)) with samples "
            "that are used neither for training nor for validation."
        )
    if held_out_data is None:
        return
    if not needed:
        raise ValueError(
            f"held_out_data is given, but weighting={weighting and name!r} "
            "does not learn from it. Remove it, or choose 'auto_lambda'."
        )
    if not isinstance(held_out_data, tuple | list | tf.data.Dataset):
        raise TypeError(
            f"held_out_data is of type {type(held_out_data).__name__}; "
            "expected a tuple (x, y) of arrays or a tf.data.Dataset."
        )
