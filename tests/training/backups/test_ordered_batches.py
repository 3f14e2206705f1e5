"""Arrays in an order that follows from a seed and the number of the epoch."""

import numpy as np
import pytest
import tensorflow as tf
from backup_training import BATCH, SAMPLES

from mtl_keras.training.backups.indexed_samples import IndexedSamples
from mtl_keras.training.backups.ordered_batches import OrderedBatches


def orders(seed, first=0, count=12, **options):
    """Returns the samples of each batch, over two passes."""
    batches = OrderedBatches(
        IndexedSamples.from_arrays(np.arange(SAMPLES)),
        batch_size=BATCH,
        seed=seed,
        **{"shuffle": True, **options},
    )
    assert batches.num_batches == 6
    stream = batches.infinite(first).take(count)
    return [batch.numpy().tolist() for batch in stream]


def flat(lists):
    return [number for numbers in lists for number in numbers]


def test_the_order_of_arrays_follows_from_seed_and_epoch():
    both = orders(0)
    first, second = flat(both[:6]), flat(both[6:])
    assert sorted(first) == sorted(second) == list(range(SAMPLES))
    assert first != second
    assert orders(0) == both != orders(1)
    assert orders(0, first=8, count=4) == both[8:]
    assert flat(orders(0, shuffle=False, count=6)) == list(range(SAMPLES))
    batches = OrderedBatches(
        IndexedSamples.from_arrays(np.arange(SAMPLES)),
        batch_size=BATCH,
        seed=0,
        shuffle=True,
    )
    number = tf.Variable(0, dtype=tf.int64)
    one = batches.one_pass(number)
    assert one.cardinality() == 6
    assert [batch.numpy().tolist() for batch in one] == both[:6]
    number.assign(1)
    assert [batch.numpy().tolist() for batch in one] == both[6:]


def test_sparse_arrays_are_refused():
    sparse = tf.sparse.from_dense(np.eye(4))
    with pytest.raises(TypeError, match=r"Sparse.*only dense arrays"):
        IndexedSamples.from_arrays(sparse)
