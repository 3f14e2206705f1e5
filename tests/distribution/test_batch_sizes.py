"""Sizes of batches, and how they divide among replicas."""

import numpy as np
import pytest
import tensorflow as tf
from keras.src.trainers.data_adapters import get_data_adapter

from mtl_keras.distribution.batch_sizes import BatchSizes, warn_uneven_batches


@pytest.mark.parametrize("replicas", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [1, 3, 4, 8])
@pytest.mark.parametrize("samples", [1, 5, 8, 21, 24])
def test_sizes_of_arrays(samples, size, replicas):
    x = np.zeros((samples, 2))
    sizes = BatchSizes.from_adapter(get_data_adapter(x, batch_size=size))
    batches = [min(size, samples - i) for i in range(0, samples, size)]
    uneven = any(batch % replicas for batch in batches)
    short = any(batch < replicas for batch in batches)
    # A size that no batch has may be included, but none may be missing.
    assert sizes.may_be_uneven(replicas) >= uneven
    assert sizes.may_be_short(replicas) >= short
    if samples >= size:
        assert sizes.may_be_uneven(replicas) == uneven
        assert sizes.may_be_short(replicas) == short


def test_unknown_sizes_of_datasets_may_be_anything():
    data = tf.data.Dataset.range(10)
    known = get_data_adapter(data.batch(4, drop_remainder=True))
    assert not BatchSizes.from_adapter(known).may_be_uneven(2)
    assert not BatchSizes.from_adapter(known).may_be_short(2)
    unknown = get_data_adapter(data.batch(4))
    assert BatchSizes.from_adapter(unknown).may_be_uneven(2)
    assert BatchSizes.from_adapter(unknown).may_be_short(2)


def test_sizes_of_generators_are_unknown():
    batches = ((np.zeros((n, 2)), np.zeros(n)) for n in (8, 8, 5))
    sizes = BatchSizes.from_adapter(get_data_adapter(batches))
    assert sizes.may_be_uneven(2)
    assert sizes.may_be_short(2)


def test_uneven_batches_are_warned_of():
    warn_uneven_batches(BatchSizes(8, 5), 4)
    warn_uneven_batches(BatchSizes(None), 4)
    with pytest.warns(UserWarning, match="size 6 is not a multiple of the 4"):
        warn_uneven_batches(BatchSizes(6), 4)
