"""Blocks of training steps to be timed, without the rest of `fit`."""

from collections.abc import Callable

import tensorflow as tf


def stream(x, y, batch_size: int):
    """Returns endless batches of arrays, which are split only once.

    Args:
        x: Inputs.
        y: Dict from task name to targets.
        batch_size: Samples a batch.

    Returns:
        An iterator.
    """
    # The shapes are those of `fit`, so that its step is not traced again.
    even = len(x) % batch_size == 0
    data = tf.data.Dataset.from_tensor_slices((x, y))
    batches = data.batch(batch_size, drop_remainder=even)
    return iter(batches.cache().repeat().prefetch(2))


def make_block(model, x, y, batch_size: int, steps: int) -> Callable[[], None]:
    """Makes a function that takes some training steps of a model.

    Args:
        model: A compiled `MultiTaskModel`.
        x: Inputs.
        y: Dict from task name to targets, none of which is missing.
        batch_size: Samples a batch.
        steps: Steps a call.

    Returns:
        The function.
    """
    # Checks the labels, so that its step knows that none is missing.
    model.fit(x, y, batch_size=batch_size, steps_per_epoch=2, verbose=0)
    step, batches = model.train_function, stream(x, y, batch_size)

    def block():
        for _ in range(steps):
            step(batches)

    return block
