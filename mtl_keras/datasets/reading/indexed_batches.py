"""Makes batches of samples that a source reads by index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.training.backups.indexed_samples import (
    IndexedSamples,
    mark_indexed,
)


def indexed_batches(
    indices: np.ndarray,
    gather: Callable[[tf.Tensor], Any],
    batch_size: int,
    seed: int | None,
    num_parallel_calls: int | None = None,
) -> tf.data.Dataset:
    """Makes batches of samples that a source reads by index.

    `BackupAndRestore` resumes in the middle of an epoch without reading the
    samples before.

    Args:
        indices: Integer array of samples.
        gather: Function from an int64 tensor of indices of shape `(n,)` to a
            batch of these samples.
        batch_size: Integer, samples per batch; the last may be smaller.
        seed: Integer, seed of the order, which differs in each epoch; or
            `None` for the order of `indices`.
        num_parallel_calls: Integer, number of batches to gather in parallel.
            Defaults to `None`: one.

    Returns:
        A `tf.data.Dataset` with a known number of batches.
    """
    indices = np.asarray(indices)
    chosen = tf.data.Dataset.from_tensor_slices(indices)
    if seed is not None:
        chosen = chosen.shuffle(len(indices), seed=seed)
    stream = (
        chosen.batch(batch_size)
        .map(gather, num_parallel_calls=num_parallel_calls)
        .prefetch(tf.data.AUTOTUNE)
    )
    samples = IndexedSamples(
        lambda rows: gather(tf.gather(indices, rows)), len(indices)
    )
    return mark_indexed(stream, samples, batch_size, shuffle=seed is not None)
