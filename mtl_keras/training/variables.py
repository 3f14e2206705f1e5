"""Variables that wait for the first batch: of metrics and of the optimizer."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.training.compiled import Compiled


def build_variables(model, compiled: Compiled, data) -> None:
    """Makes the variables that are still missing.

    Called while a step is traced, or before; inside of the branches and loops
    of a step it would be too late.

    Args:
        model: The model.
        compiled: What `compile` has made.
        data: A batch `(x, y)` or `(x, y, sample_weight)`, or the
            specification of one.
    """
    strategy = model.distribute_strategy
    metrics = compiled.logs.task_metrics
    if compiled.optimizer.built and not metrics.needs_build:
        return
    local = keras.tree.map_structure(
        lambda leaf: strategy.experimental_local_results(leaf)[0], data
    )
    with tf.init_scope(), strategy.scope():
        compiled.update.build_optimizer()
        if metrics.needs_build:
            metrics.build_with(_parts_of_zeros(model, compiled, local))


def _parts_of_zeros(model, compiled: Compiled, data) -> list:
    """Makes parts of a batch of one sample, of zeros."""
    _, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    outputs = {
        name: tf.zeros((1, *(size or 1 for size in shape)))
        for name, shape in model.task_output_shapes.items()
    }
    targets = keras.tree.map_structure(_zeros, y)
    return compiled.losses.parts(targets, outputs, complete=True)


def _zeros(leaf):
    shape = [size or 1 for size in tuple(leaf.shape)[1:]]
    return tf.zeros((1, *shape), leaf.dtype)
