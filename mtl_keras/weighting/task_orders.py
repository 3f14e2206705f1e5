"""Random orders in which each task gradient meets the others."""

from __future__ import annotations

import tensorflow as tf


def task_orders(num_tasks: int, seed: int, steps):
    """Draws an order of the tasks for each task.

    The orders follow from the seed and the number of the step, and are the
    same on every replica.

    Args:
        num_tasks: Number of tasks.
        seed: Seed of the draws.
        steps: Number of the step, an int32 scalar.

    Returns:
        Int32 tensor of shape `(num_tasks, num_tasks)`: row `i` is the order in
        which task `i` meets all tasks, itself included.
    """
    draw = tf.random.stateless_uniform(
        (num_tasks, num_tasks), seed=tf.stack([seed, steps]), alg="philox"
    )
    return tf.argsort(draw, axis=1)
