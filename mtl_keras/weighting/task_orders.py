"""Random orders in which task gradients are corrected by each other."""

from __future__ import annotations

import tensorflow as tf


def task_orders(num_tasks: int, seed: int, steps):
    """Draws an order of all tasks for each task.

    The orders depend only on the seed and the step, and are the same on every
    replica.

    Args:
        num_tasks: Number of tasks.
        seed: Seed of the draws.
        steps: Number of steps so far, an int32 scalar.

    Returns:
        Int32 tensor of shape `(num_tasks, num_tasks)`: row `i` is the order of
        all tasks, `i` included, for task `i`.
    """
    draw = tf.random.stateless_uniform(
        (num_tasks, num_tasks), seed=tf.stack([seed, steps]), alg="philox"
    )
    return tf.argsort(draw, axis=1)
