"""What all workers know of each other, or of the chief."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mtl_keras.distribution.workers import (
    from_chief,
    has_several_workers,
    is_chief,
    sum_of_workers,
    worker_index,
)


def of_all_workers(
    strategy: tf.distribute.Strategy, rows: np.ndarray
) -> np.ndarray:
    """Puts the rows of all workers below each other, for all of them.

    Args:
        strategy: The strategy. All workers must call this.
        rows: Float64 array with a row for each replica of this worker.

    Returns:
        The rows in the order of the workers.
    """
    if not has_several_workers(strategy):
        return rows
    workers = strategy.num_replicas_in_sync // len(rows)
    own = np.zeros((workers, *rows.shape))
    own[worker_index(strategy)] = rows
    return sum_of_workers(strategy, own).reshape(-1, *rows.shape[1:])


def text_from_chief(strategy: tf.distribute.Strategy, text: str) -> str:
    """Gives all workers the text that the chief has.

    Args:
        strategy: The strategy. All workers must call this.
        text: The text; that of the other workers is ignored.
    """
    if not has_several_workers(strategy):
        return text
    own = np.frombuffer(text.encode(), np.uint8)
    (size,) = from_chief(strategy, [np.asarray(own.size)])
    if not is_chief(strategy):
        own = np.zeros(int(size), np.uint8)
    (received,) = from_chief(strategy, [own])
    return received.tobytes().decode()
